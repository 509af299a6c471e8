/** One address for several servers: passes bytes of new connections to the server that it leads to now, as a balancer would. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Door {
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private upstream: number,
  ) {}

  /** `upstream`: port of a server on this machine. */
  static async to(upstream: number): Promise<Door> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('the door has no port');
    const door = new Door(server, address.port, upstream);
    server.on('connection', (browser) => door.pass(browser));
    return door;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Where new connections go from now on. Those that are open stay where they are. */
  lead(upstream: number): void {
    this.upstream = upstream;
  }

  async close(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }

  private pass(browser: Socket): void {
    const server = connect(this.upstream, '127.0.0.1');
    const ends: [Socket, Socket][] = [
      [browser, server],
      [server, browser],
    ];
    for (const [from, to] of ends) {
      this.open.add(from);
      from.pipe(to);
      // a server that is killed takes its half with it; nobody waits for the other one
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.open.delete(from);
        to.destroy();
      });
    }
  }
}
