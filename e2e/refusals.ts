// Who refuses a Service's connections in a cluster of e2e/cluster: counted by rules of its node's network, as a client cannot tell.
import type { Cluster } from './cluster.ts';

const PORT = 8000;

/** @param ip of the Service, by which pods are known here: what they send has been translated back */
const countersOf = (ip: string) => ({
  /** A pod answered a SYN with RST: nobody listened. */
  byPods: `ip saddr ${ip} tcp sport ${PORT} tcp flags & (rst | ack) == rst | ack tcp sequence 0`,
  /** A pod broke a connection off that it had taken. */
  brokenOff: `ip saddr ${ip} tcp sport ${PORT} tcp flags & rst == rst tcp sequence != 0`,
  /** kube-proxy's rules knew no pod for it: the address that the message is about (bytes 24 to 27 of it) is still the Service's. */
  byRules: `icmp type destination-unreachable icmp code 3 @th,192,32 ${numberOf(ip)}`,
  /** The pod that it was sent to is gone. */
  noPod: `icmp type destination-unreachable icmp code 1 ct original ip daddr ${ip}`,
});

function numberOf(ip: string): number {
  return ip.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

export type Refusals = Readonly<Record<keyof ReturnType<typeof countersOf>, number>>;

export class RefusalCount {
  readonly #cluster: Cluster;
  readonly #table: string;

  private constructor(cluster: Cluster, table: string) {
    this.#cluster = cluster;
    this.#table = table;
  }

  /** @param name of a table that nobody else has @param ip of the Service */
  static async start(cluster: Cluster, name: string, ip: string): Promise<RefusalCount> {
    const counters = Object.entries(countersOf(ip));
    const rules = `table ip ${name} {
${counters.map(([counter]) => `  counter ${counter} { }`).join('\n')}
  chain in {
    type filter hook input priority filter; policy accept;
${counters.map(([counter, rule]) => `    ${rule} counter name ${counter}`).join('\n')}
  }
}
`;
    await cluster.must(['nft', '-f', '-'], { stdin: rules });
    return new RefusalCount(cluster, name);
  }

  /** Ends the counting. */
  async stop(): Promise<Refusals> {
    const told = JSON.parse(
      await this.#cluster.must(['nft', '--json', 'list', 'counters', 'table', 'ip', this.#table]),
    ) as {
      nftables: { counter?: { name: keyof Refusals; packets: number } }[];
    };
    await this.#cluster.must(['nft', 'delete', 'table', 'ip', this.#table]);
    return Object.fromEntries(
      told.nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])),
    ) as unknown as Refusals;
  }
}
