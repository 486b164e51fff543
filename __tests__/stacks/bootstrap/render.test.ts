import { createHash } from "node:crypto";
import { expect } from "chai";
import { HOST_FILES } from "../../../stacks/bootstrap/host-files.js";
import {
  type BootstrapProps,
  renderHostFiles,
  renderUserData,
  renderUserDataTemplate,
} from "../../../stacks/bootstrap/render.js";

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html: 16 KB before it is base64-encoded. */
const USER_DATA_LIMIT = 16_384;

const PROPS: BootstrapProps = {
  region: "ap-southeast-1",
  database: "clickstream_dw",
  roleSet: "warehouse",
  parameterPrefix: "/sbw/prod/dwh",
  artifactsBucket: "sbw-prod-artifacts-123456789012",
  clientCidrs: ["10.0.128.0/20", "10.0.0.0/20"],
  address: "10.0.128.10",
  dataDevice: "/dev/sdf",
};

describe("the user data of a PostgreSQL host", () => {
  const userData = renderUserData(PROPS);

  it("fits the limit of EC2 as it is, with room for values of any length that AWS allows", () => {
    expect(Buffer.byteLength(userData)).to.be.below(USER_DATA_LIMIT / 2);
  });

  it("is plain ASCII, so that no mail decoder on the way can change it", () => {
    expect(userData).to.match(/^[\n\x20-\x7e]*$/);
  });

  it("is two parts: a setting that runs it at every boot, and a bash script", () => {
    const types = [...userData.matchAll(/^Content-Type: (text\/\S+);/gm)].map((match) => match[1]);
    expect(types).to.deep.equal(["text/cloud-config", "text/x-shellscript"]);
    expect(userData).to.include('charset="us-ascii"\n\n#cloud-config\n');
    expect(userData).to.include('charset="us-ascii"\n\n#!/bin/bash\n');
    expect(userData.trimEnd()).to.match(/--==clickstream-first-boot==--$/);
  });

  it("names the host's files by their SHA-256, so that a change of one is a change of it", () => {
    const sha256 = createHash("sha256").update(renderHostFiles()).digest("hex");
    expect(userData).to.include(`\nHOST_FILES_KEY='host/files.sh'\nHOST_FILES_SHA256='${sha256}'\n`);
  });

  it("puts the values in one file, single-quoted", () => {
    expect(userData).to.include("\nCLIENT_CIDRS='10.0.128.0/20 10.0.0.0/20'\n");
    expect(userData).to.include(
      "\nPORT='5432'\nMIGRATIONS_PREFIX='migrations/'\nDASHBOARD_PREFIX='dashboard/'\n",
    );
  });

  for (const address of ["", "10.0.0.1'; reboot; '", "10.0.0.1\nPORT=1", "10.0.0.1\\"]) {
    it(`refuses ${JSON.stringify(address)} as a value, with its key`, () => {
      expect(() => renderUserData({ ...PROPS, address })).to.throw(
        /^ADDRESS of the host's first boot must be/,
      );
    });
  }

  it("escapes bash's own ${ for a Terraform template, and leaves the tokens to Terraform", () => {
    const token = "$" + "{aws_eip.address.public_ip}";
    const template = renderUserDataTemplate({ ...PROPS, address: token });
    expect(template).to.include(`\nADDRESS='${token}'\n`);
    const others = template.replace(token, "");
    expect(others.match(/(?<!\$)\$\{/g), "an unescaped interpolation").to.equal(null);
    expect(others.match(/(?<!%)%\{/g), "an unescaped directive").to.equal(null);
    expect(template.replaceAll("$${", "${").replaceAll("%%{", "%{").replace(token, PROPS.address)).to.equal(
      userData,
    );
  });
});

describe("the files of a PostgreSQL host", () => {
  it("are each laid once, from a quoted here-document of its own", () => {
    const script = `\n${renderHostFiles()}`;
    for (const { path, mode } of HOST_FILES)
      expect(script.split(`\nput ${path} ${mode} <<'END_OF_FILE'\n`), path).to.have.length(2);
    expect(script.match(/^END_OF_FILE$/gm)).to.have.length(HOST_FILES.length);
  });
});
