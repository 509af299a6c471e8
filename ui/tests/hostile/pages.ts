/** The pages of the bench: the real clients, and what a person in front of them sees. */
import { Agent } from '../../src/client/agent-client';
import { Visitor } from '../../src/client/visitor-client';
import { printFingerprint } from '../../src/crypto/hash';
import type { Opaque } from '../../src/crypto/opaque';
import type { Connection, Message, Thread, Trust } from '../../src/model';
import { memoryStore, type Store } from '../../src/storage/store';
import { SITE, type Person } from '../support/company';
import { fakeEnv } from '../support/socket';
import { benchBackend } from './backend';
import { hop } from './clock';
import { answer } from './http';
import type { Who } from './hooks';
import type { HostileServer, Load } from './server';

export const SERVER = 'https://kefu.example';

/** One line, as on the screen. */
export interface Line {
  id: string;
  seq: number | null;
  side: Message['side'];
  user: string | undefined;
  kind: string;
  text: string;
  fields: Record<string, string> | undefined;
  mine: boolean;
  state: string | undefined;
  /** Why a person should not simply believe it; empty: it is shown as good. */
  marks: string[];
  /** Only for lines about an epoch. */
  epoch: { epoch: number; bot: boolean } | undefined;
}

export interface Look {
  who: Who;
  /** The conversation on the screen; '' if none. */
  conv: string;
  load: Load;
  /** The page no longer trusts the server, and shows it. */
  alarm: boolean;
  /** Notices beside the lines. */
  says: string[];
  lines: Line[];
}

const ALARMS: readonly string[] = [
  'error.pin',
  'error.directory',
  'error.directory_fork',
  'error.history',
  'error.snapshot_expired',
];
/** Kinds that show the words of a person. */
const WORDS: readonly string[] = ['text', 'form', 'note', 'event', 'recalled'];

/** Any flag but `mine`, any error, any kind without text, and the line that reports that the log went back, are marks. */
function marksOf(m: Message): string[] {
  const flags = Object.entries(m)
    .filter(([name, v]) => v === true && name !== 'mine')
    .map(([name]) => name);
  const kind = WORDS.includes(m.kind) ? [] : [m.kind as string];
  const rewound = (m.event?.t as string | undefined) === 'rewound' ? ['rewound'] : [];
  return [...flags, ...kind, ...rewound, ...(m.error ? [m.error] : [])];
}

function lineOf(m: Message): Line {
  const event = m.event as { t: string; epoch?: number; bot?: boolean } | undefined;
  const epoch =
    event?.t === 'epoch' || event?.t === 'moved' ? { epoch: event.epoch ?? -1, bot: event.bot === true } : undefined;
  return {
    id: m.id,
    seq: m.seq,
    side: m.side,
    user: m.author?.user,
    kind: m.kind,
    text: m.text,
    fields: m.form?.fields,
    mine: m.mine,
    state: m.state,
    marks: marksOf(m),
    epoch,
  };
}

const alarmed = (t: Trust, c: Connection, says: string[]): boolean =>
  t.mode === 'broken' ||
  (c.state === 'ended' && ALARMS.includes(c.reason ?? '')) ||
  says.some((x) => ALARMS.includes(x));

/** Why nothing can be written, where that is more than everyday life: whose turn it is, a conversation that is closed. */
const EVERYDAY: readonly string[] = ['error.closed', 'error.not_owner', 'error.no_key'];
const blockedBy = (t: Thread | null): string[] => [
  ...(t?.blocked.value && !EVERYDAY.includes(t.blocked.value) ? [t.blocked.value] : []),
  ...(t?.wait.value?.why === 'missing' ? ['missing'] : []),
];

export abstract class Page<C extends { dispose(): void }> {
  client!: C;
  load!: Load;

  constructor(
    readonly server: HostileServer,
    readonly who: Who,
    readonly store: Store = { ...memoryStore(), kept: true },
  ) {}

  protected env(): ReturnType<typeof fakeEnv> {
    const load = (this.load = this.server.newLoad(this.who));
    const env = fakeEnv((s) => this.server.accept(load, s));
    env.http = (url, init) =>
      new Promise((done, fail) => hop(() => void answer(this.server, load, url, init).then(done, fail)));
    return env;
  }

  close(): void {
    this.client.dispose();
    this.server.cut(this.who);
  }

  abstract start(): void;
  abstract messages(conv: string): readonly Message[];
  /** Everything a person in front of it sees. */
  abstract look(conv: string): Look;

  shows(conv: string, fits: (m: Message) => boolean): boolean {
    return this.messages(conv).some(fits);
  }
  abstract alarmed(conv: string): boolean;
}

export class VisitorPage extends Page<Visitor> {
  constructor(server: HostileServer) {
    super(server, 'visitor');
    this.start();
  }

  start(): void {
    const org = printFingerprint(this.server.log.fp);
    this.client = new Visitor(
      { server: SERVER, site: SITE, org, lang: 'zh' },
      { env: this.env(), openStore: async () => this.store, backend: benchBackend, secure: true },
    );
  }

  messages(): readonly Message[] {
    return this.client.thread.value?.messages.value ?? [];
  }

  alarmed(): boolean {
    const { trust, connection, thread } = this.client;
    return alarmed(trust.value, connection.value, blockedBy(thread.value));
  }

  look(): Look {
    const { robotRefused, thread } = this.client;
    const says = [...(robotRefused.value ? ['robot refused'] : []), ...blockedBy(thread.value)];
    return {
      who: this.who,
      conv: thread.value?.id ?? '',
      load: this.load,
      alarm: this.alarmed(),
      says,
      lines: this.messages().map(lineOf),
    };
  }
}

export class AgentPage extends Page<Agent> {
  private constructor(
    server: HostileServer,
    readonly person: Person,
  ) {
    super(server, person.user);
  }

  /** Signed in, as if by an earlier visit. */
  static async of(server: HostileServer, person: Person): Promise<AgentPage> {
    const page = new AgentPage(server, person);
    const { store } = page;
    await store.set(`a/${SERVER}/session`, {
      user: person.user,
      ed: await person.ed.keep(),
      x: await person.x.keep(),
      locked: false,
    });
    await store.set(`a/${SERVER}/pin`, printFingerprint(server.log.fp));
    page.start();
    return page;
  }

  start(): void {
    const opaque = (): Opaque => {
      throw new Error('a password was asked for');
    };
    this.client = new Agent(
      { server: SERVER },
      { env: this.env(), openStore: async () => this.store, backend: benchBackend, secure: true, opaque },
    );
  }

  get online(): boolean {
    return this.client.connection.value.state === 'online';
  }

  /** Null while signed out or not yet signed in. */
  thread(conv: string): Thread | null {
    try {
      return this.client.open(conv);
    } catch {
      return null;
    }
  }

  messages(conv: string): readonly Message[] {
    return (conv && this.thread(conv)?.messages.value) || [];
  }

  private says(conv: string): string[] {
    const notices = this.client.notices.value.filter((n) => n.kind === 'error');
    // the page shows why the content of the screen is gone, unless its user handed it over
    const gone = this.client.dropped.value.filter((d) => d.conv === conv && d.why !== 'handed');
    return [
      ...blockedBy(conv ? this.thread(conv) : null),
      ...notices.map((n) => n.key as string),
      ...gone.map((d) => `dropped.${d.why}`),
    ];
  }

  alarmed(conv: string): boolean {
    return alarmed(this.client.trust.value, this.client.connection.value, this.says(conv));
  }

  look(conv: string): Look {
    return {
      who: this.who,
      conv,
      load: this.load,
      alarm: this.alarmed(conv),
      says: this.says(conv),
      lines: this.messages(conv).map(lineOf),
    };
  }
}
