// Who refuses connections to pods of a cluster of e2e/cluster: counted by rules of its node's network, as a client cannot tell.
import type { Cluster } from './cluster.ts';

const PORT = 8000;

const COUNTERS = {
  /** A pod answered a SYN with RST: nobody listened. */
  byPods: `tcp sport ${PORT} tcp flags & (rst | ack) == rst | ack tcp sequence 0`,
  /** A pod broke a connection off that it had taken. */
  brokenOff: `tcp sport ${PORT} tcp flags & rst == rst tcp sequence != 0`,
  /** The node refused it itself, by kube-proxy's rules or as nobody had the address. */
  byNode: 'icmp type destination-unreachable',
} as const;

export type Refusals = Readonly<Record<keyof typeof COUNTERS, number>>;

export class RefusalCount {
  readonly #cluster: Cluster;
  readonly #table: string;

  private constructor(cluster: Cluster, table: string) {
    this.#cluster = cluster;
    this.#table = table;
  }

  /** @param name of a table that nobody else has */
  static async start(cluster: Cluster, name: string): Promise<RefusalCount> {
    const counters = Object.entries(COUNTERS);
    const rules = `table ip ${name} {
${counters.map(([counter]) => `  counter ${counter} { }`).join('\n')}
  chain in {
    type filter hook input priority -300; policy accept;
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
