import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { StartInstancesCommand, StopInstancesCommand } from "@aws-sdk/client-ec2";
import { expect } from "chai";
import { type Account, only } from "../../../testing/aws/account.js";
import { setAgent } from "../../../testing/aws/healthy.js";
import { commandLine, type Operator } from "../../../testing/aws/operator.js";
import { createSessionManager, isAlive, type SessionManager } from "../../../testing/cli/session-manager.js";
import { REPOSITORY } from "../../../testing/terraform/terraform.js";

const TUNNEL = "tunnel";

export function describeTunnel(operator: () => Operator): void {
  describe("tunnel", () => {
    let account: Account;
    let manager: SessionManager;
    let port: string;

    before(async () => {
      account = operator().account;
      await setAgent(account, "Online");
      manager = createSessionManager(operator().env);
    });
    beforeEach(async () => {
      port = String(await freePort());
    });
    after(() => manager?.remove());

    const instanceId = async () => only(await account.instances()).InstanceId as string;
    const refused = async () => {
      const { code, output } = await operator().runIn(manager.env, TUNNEL, "--port", port);
      expect(code, output).to.equal(1);
      return output;
    };
    /** Until it has printed `text`, then Ctrl-C. */
    const openUntil = async (text: string, ...args: string[]) => {
      const words = commandLine(account, TUNNEL, [...args, "--port", port]);
      const child = spawn(process.execPath, words, {
        cwd: REPOSITORY,
        env: manager.env,
      });
      const printed = await outputUntil(child, text);
      child.kill("SIGINT");
      const [code] = await once(child, "exit");
      return { code, printed };
    };

    it("finds the instance by its output, prints the address, and ends cleanly on Ctrl-C", async () => {
      const address = `http://127.0.0.1:${port}`;
      const { code } = await openUntil(address);
      expect(code).to.equal(0);
      const session = manager.sessions().at(-1);
      expect(session)
        .to.include(await instanceId())
        .and.include(`localPortNumber=${port}`);
      expect(manager.plugins().filter(isAlive)).to.deep.equal([]);
    });

    it("prints the ready psql command, with the tunnel's own port", async () => {
      const { code, printed } = await openUntil("sslrootcert=warehouse.pem", "psql");
      expect(code).to.equal(0);
      expect(printed).to.include(`hostaddr=127.0.0.1 port=${port} dbname=clickstream_dw`);
      expect(manager.sessions().at(-1)).to.include(`localPortNumber=${port}`);
    });

    it("says that the instance is not online in Systems Manager, and what to do", async () => {
      await setAgent(account, "ConnectionLost");
      const output = await refused();
      await setAgent(account, "Online");
      expect(output).to.match(/^tunnel: i-\w+ is not online in Systems Manager: ConnectionLost.*endpoints/m);
    });

    it("says that the instance is stopped, and how to start it", async () => {
      const InstanceIds = [await instanceId()];
      await account.clients.ec2.send(new StopInstancesCommand({ InstanceIds }));
      const output = await refused();
      await account.clients.ec2.send(new StartInstancesCommand({ InstanceIds }));
      expect(output).to.match(/^tunnel: SBW_EC2_ShinyDWH .* is stopped: aws ec2 start-instances/m);
    });

    it("says that an environment is not deployed, and where its state was looked for", async () => {
      const env = { ...manager.env, CDKTF_CONTEXT_JSON: JSON.stringify({ environment: "another" }) };
      const { code, output } = await operator().runIn(env, TUNNEL);
      expect(code).to.equal(1);
      expect(output).to.match(/^tunnel: The stack warehouse of the environment another is not deployed/m);
    });
  });
}

async function outputUntil(child: ChildProcess, text: string): Promise<string> {
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data) => {
      printed += data;
    });
  for (let waits = 0; waits < 600 && !printed.includes(text); waits += 1) {
    if (child.exitCode !== null) break;
    await sleep(100);
  }
  expect(printed).to.include(text);
  return printed;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
