import { expect } from "chai";
import { type Attributes, ref, type SynthesizedStack, synthesize } from "../../testing/terraform/synth.js";

/** Every rule as `group: direction port peer`, sorted. */
function connections(network: SynthesizedStack): string[] {
  const group = (reference: unknown) => /connectivity_(\w+)_group\.id/.exec(String(reference))?.[1];
  const rules = (direction: "in" | "out") => {
    const type = `aws_vpc_security_group_${direction === "in" ? "ingress" : "egress"}_rule`;
    return network.resources(type).map(([, rule]) => {
      const peer = group(rule.referenced_security_group_id) ?? rule.cidr_ipv4 ?? "S3 prefix list";
      if (peer === "S3 prefix list")
        expect(rule.prefix_list_id).to.equal(
          ref("data.aws_ec2_managed_prefix_list.connectivity_s3_prefix_list.id"),
        );
      return `${group(rule.security_group_id)}: ${direction} ${rule.from_port} ${peer}`;
    });
  };
  return [...rules("in"), ...rules("out")].sort();
}

const CONNECTIONS = [
  "endpoints: in 443 function",
  "endpoints: in 443 warehouse",
  "function: out 443 S3 prefix list",
  "function: out 443 endpoints",
  "function: out 5432 warehouse",
  "warehouse: in 3838 warehouse",
  "warehouse: in 5432 function",
  "warehouse: out 443 S3 prefix list",
  "warehouse: out 443 endpoints",
];

describe("network stack", () => {
  const { network } = synthesize();

  it("makes the VPC asked for, with DNS", () => {
    expect(network.resource("aws_vpc")).to.deep.include({
      cidr_block: "10.0.0.0/16",
      enable_dns_support: true,
      enable_dns_hostnames: true,
      tags: { Name: "SBW_Project_VPC" },
    });
  });

  it("makes the two subnets asked for, in one zone", () => {
    const subnets = network.resources("aws_subnet").map(([, { cidr_block, availability_zone, tags }]) => ({
      cidr_block,
      availability_zone,
      tags,
    }));
    expect(subnets).to.deep.equal([
      {
        cidr_block: "10.0.128.0/20",
        availability_zone: "ap-southeast-1a",
        tags: { Name: "SBW_Project-subnet-private1-ap-southeast-1a" },
      },
      {
        cidr_block: "10.0.0.0/20",
        availability_zone: "ap-southeast-1a",
        tags: { Name: "SBW_Project-subnet-public1-ap-southeast-1a" },
      },
    ]);
  });

  it("routes the public subnet, and it alone, to the internet gateway", () => {
    expect(network.resource("aws_route")).to.include({
      destination_cidr_block: "0.0.0.0/0",
      gateway_id: ref("aws_internet_gateway.internet_gateway.id"),
      route_table_id: ref("aws_route_table.public_route_table.id"),
    });
    const associations = network
      .resources("aws_route_table_association")
      .map(([, { route_table_id, subnet_id }]) => [route_table_id, subnet_id]);
    expect(associations).to.deep.equal([
      [ref("aws_route_table.private_route_table.id"), ref("aws_subnet.private_subnet.id")],
      [ref("aws_route_table.public_route_table.id"), ref("aws_subnet.public_subnet.id")],
    ]);
  });

  it("keeps the hosts' addresses free for them while they are replaced", () => {
    const reserved = (context: Attributes) =>
      synthesize(context)
        .network.resources("aws_ec2_subnet_cidr_reservation")
        .map(([, { subnet_id, cidr_block, reservation_type }]) => [subnet_id, cidr_block, reservation_type]);
    const warehouse = [ref("aws_subnet.private_subnet.id"), "10.0.128.10/32", "explicit"];
    expect(reserved({})).to.deep.equal([warehouse]);
    expect(reserved({ webDb: true })).to.have.deep.members([
      warehouse,
      [ref("aws_subnet.public_subnet.id"), "10.0.0.10/32", "explicit"],
    ]);
  });

  it("names the groups as asked", () => {
    const names = network.resources("aws_security_group").map(([, { name }]) => name);
    expect(names).to.have.members(["sg_Lambda_ETL", "sg_analytics_ShinyDWH", "sg_clickstream_endpoints"]);
  });

  it("opens exactly the connections asked for and those to the endpoints", () => {
    expect(connections(network)).to.deep.equal(CONNECTIONS);
  });

  it("with webDb opens 5432 to the named clients, and nothing else to them", () => {
    const webDbAllowedCidrs = ["203.0.113.0/24", "198.51.100.7/32"];
    const withWebDb = synthesize({ webDb: true, webDbAllowedCidrs }).network;
    expect(withWebDb.resource("aws_security_group", "connectivity_web_db_group").name).to.equal(
      "sg_oltp_webDB",
    );
    expect(connections(withWebDb)).to.deep.equal(
      [
        ...CONNECTIONS,
        "endpoints: in 443 web_db",
        "web_db: in 5432 198.51.100.7/32",
        "web_db: in 5432 203.0.113.0/24",
        "web_db: out 443 S3 prefix list",
        "web_db: out 443 endpoints",
      ].sort(),
    );
  });

  it("records all traffic of the VPC, by a role that can write there alone", () => {
    expect(network.resource("aws_flow_log")).to.include({
      traffic_type: "ALL",
      vpc_id: ref("aws_vpc.vpc.id"),
      log_destination: ref("aws_cloudwatch_log_group.flow_logs_log_group.arn"),
    });
    const { Statement } = JSON.parse(network.resource("aws_iam_role_policy").policy as string);
    expect(Statement).to.have.length(1);
    expect(Statement[0].Resource).to.deep.equal([
      `${ref("aws_cloudwatch_log_group.flow_logs_log_group.arn")}:*`,
    ]);
  });

  it("is shaped by the configuration", () => {
    const other = synthesize({
      vpcCidr: "10.8.0.0/16",
      publicSubnetCidr: "10.8.0.0/24",
      privateSubnetCidr: "10.8.1.0/24",
      warehousePrivateIp: "10.8.1.10",
      logRetentionDays: 7,
    });
    expect(other.network.resource("aws_vpc").cidr_block).to.equal("10.8.0.0/16");
    expect(other.network.resource("aws_cloudwatch_log_group").retention_in_days).to.equal(7);
    expect(other.warehouse.resource("aws_instance").private_ip).to.equal("10.8.1.10");
  });
});
