/**
 * Guards of the pages: what protects a person from an attack. `mutate.mjs` removes one at a time; the test named beside it must
 * then fail. `find` occurs in the file exactly once, or the tool stops. Add a guard here with every rule that is added.
 */

/** One attack of the bench, in all its variants. */
const attack = (id) => ({ file: 'tests/hostile/alone.test.ts', name: `(^|\\s)${id}: ` });
/** A refused entry, by its reason and what is wrong with it. */
const entry = (title) => ({ file: 'tests/hostile/entries.test.ts', name: `(^|\\s)${title}` });
const unit = (file, name) => ({ file: `tests/${file}.test.ts`, name });

const epoch = 'src/crypto/epoch.ts';
const rules = 'src/crypto/rules.ts';
const snapshot = 'src/crypto/snapshot.ts';
const directory = 'src/crypto/directory.ts';
const daykey = 'src/crypto/daykey.ts';
const envelope = 'src/crypto/envelope.ts';
const grant = 'src/crypto/grant.ts';
const log = 'src/client/conversation-log.ts';
const chain = 'src/client/epoch-chain.ts';
const history = 'src/client/history-check.ts';
const lines = 'src/client/log-lines.ts';
const logEntry = 'src/client/log-entry.ts';
const order = 'src/client/order.ts';
const rights = 'src/client/rights.ts';
const rotation = 'src/client/epoch-rotation.ts';
const robotMembership = 'src/client/robot-membership.ts';
const conversation = 'src/client/conversation.ts';
const restoration = 'src/client/restoration.ts';
const visitor = 'src/client/visitor-session.ts';
const writable = 'src/client/writable.ts';
const file = 'src/crypto/file.ts';

/** A line that only refuses. */
const refusal = (name, file, find, test) => ({ name, file, find, replace: '', test });

export const GUARDS = [
  // ---- announcements
  refusal(
    'epoch: of this conversation',
    epoch,
    "if (!equal(env.bytes.subarray(4, 20), r.conv)) reject('conversation');",
    unit('conversation-log', 'announcements: conversation, epoch, chain'),
  ),
  refusal(
    'epoch: the next number',
    epoch,
    "if (env.epoch !== r.last.epoch + 1) reject('epoch', `${env.epoch} after ${r.last.epoch}`);",
    attack('skipped-epoch'),
  ),
  refusal(
    'epoch: after the last',
    epoch,
    "if (!equal(env.prevAnnouncement, r.last.hash)) reject('chain');",
    attack('broken-chain'),
  ),
  {
    name: "epoch: the first is the visitor's",
    file: epoch,
    find: '(!agent || !r.before)',
    replace: '!agent',
    test: attack('first-epoch-by-agent'),
  },
  refusal(
    'epoch: signed',
    epoch,
    "if (!(await backend.verify('ann', agent ? agent.ed : r.visitorEd, env.signed, env.signature))) reject('signature');",
    attack('maker-forged'),
  ),
  refusal(
    'epoch: known flags',
    epoch,
    "if (env.flags > 1) reject('flags');",
    unit('conversation-log', 'announcements: nobody but the visitor'),
  ),
  refusal(
    'epoch: no older directory',
    epoch,
    "if (env.dirSeq < before.dirSeq) reject('directory_older', `${env.dirSeq} < ${before.dirSeq}`);",
    unit('readers', 'an announcement dated before the last'),
  ),
  refusal(
    "epoch: by the team's people",
    epoch,
    "if (!member && !back) reject('creator', 'not in the team of the epoch before');",
    attack('moved-by-a-stranger'),
  ),
  refusal('epoch: no boxes for others', epoch, "else reject('ghost_box');", attack('robot-let-in-quietly')),
  refusal(
    'epoch: one box of a kind',
    epoch,
    "if (teams > 1 || visitors > 1 || bots > 1) reject('ghost_box');",
    attack('ghost-box'),
  ),
  refusal(
    'epoch: the flag says whether a robot is in',
    epoch,
    "if (env.flags !== bots) reject('bot_flag');",
    unit('robot', "only the visitor's is accepted"),
  ),
  {
    name: 'epoch: for a certified team key',
    file: epoch,
    find: "return reject('ghost_box');",
    replace: "return 'svc';",
    test: attack('stranger-box'),
  },
  refusal(
    'epoch: the same directory',
    epoch,
    "if (own ? !equal(own, env.dirHead) : env.dirSeq >= dir.base) reject('directory_fork', String(env.dirSeq));",
    attack('wrong-directory-head'),
  ),
  refusal(
    'epoch: a directory that is known',
    epoch,
    "if (env.dirSeq > dir.seq) reject('directory_ahead', `${env.dirSeq} > ${dir.seq}`);",
    unit('conversation-log', 'announcements: a split directory'),
  ),
  refusal(
    'epoch: the announced key',
    epoch,
    "if (!equal(commitment(conv, env.epoch, ek), env.commitment)) reject('commitment');",
    attack('two-keys'),
  ),

  // ---- entries of the directory
  refusal(
    'entry: number',
    rules,
    "if (int(b.seq) !== seq) reject('directory_seq', `${String(b.seq)} where ${seq} comes next`);",
    entry('directory_seq: '),
  ),
  refusal(
    'entry: after the last',
    rules,
    "if (b.prev !== hex(prev)) reject('directory_fork', `entry ${seq}`);",
    attack('forked-entry'),
  ),
  {
    name: 'entry: version',
    file: rules,
    find: "if (b.v !== 1) reject('version');\n  if (int(b.seq)",
    replace: 'if (int(b.seq)',
    test: entry('version: '),
  },
  refusal(
    'entry: the pinned company',
    rules,
    "if (hex(fingerprint(e.signer)) !== hex(fp)) reject('pin');",
    attack('foreign-directory'),
  ),
  refusal('entry: one beginning', rules, "if (b.t === 'genesis') reject('second_genesis');", entry('second_genesis: ')),
  refusal(
    "entry: enrolled by one's own key",
    rules,
    "if (b.t === 'enrol' && b.ed !== signer) reject('not_own_key');",
    entry('not_own_key: '),
  ),
  {
    name: 'entry: by somebody who may sign',
    file: rules,
    find: "if (!right && b.t !== 'enrol' && !(b.t === 'confirm' && b.ed === signer)) reject('signer');",
    replace: '',
    test: attack('own-team-key'),
  },
  {
    name: 'entry: signed',
    file: rules,
    find: "if (!isGoodKey(e.signer)) reject('bad_key');\n  if (!(await backend.verify('dir', e.signer, e.raw, e.sig))) reject('signature');\n  const known",
    replace: 'const known',
    test: entry('signature: '),
  },
  refusal(
    'entry: an invite that was signed',
    rules,
    "if (!(await backend.verify('invite', signer, raw, sig))) reject('cert');",
    entry('cert: '),
  ),
  refusal('entry: an invite of this company', rules, "if (c.org !== hex(fp)) reject('cert_org');", entry('cert_org: ')),
  refusal(
    'entry: as invited',
    rules,
    "for (const what of ['user', 'role', 'name'] as const) if (b[what] !== cert[what]) reject('cert_mismatch', what);",
    attack('invite-of-another'),
  ),
  refusal(
    'entry: the teams of the invite',
    rules,
    "if (stringify(b.teams) !== stringify(cert.teams)) reject('cert_mismatch', 'teams');",
    entry('cert_mismatch: other teams'),
  ),
  refusal(
    'entry: claimed by the invite',
    rules,
    "if (!(await backend.verify('claim', sized(edKey(cert.inv), 32), claim, bytes(b.claim_sig)))) reject('claim');",
    attack('substituted-key'),
  ),
  refusal(
    'entry: invited by somebody who may',
    rules,
    "if (!right || (right === 'admin' && cert.role === 'admin')) reject('cert_signer');",
    entry('cert_signer: '),
  ),
  refusal(
    'entry: an invite is used once',
    rules,
    "if (state.used.includes(cert.inv)) reject('invite_used');",
    attack('used-invite-again'),
  ),
  refusal(
    'entry: one key at a time',
    rules,
    "if (activeKey(before) || state.waiting?.[cert.user]) reject('user_active', cert.user);",
    entry('user_active: '),
  ),
  refusal(
    'entry: nobody confirms themself late',
    rules,
    "if (signer === w.ed && (w.role !== 'admin' || latest > w.exp)) reject('own_confirmation', id);",
    attack('false-confirmation'),
  ),
  refusal(
    'entry: rules only go up',
    rules,
    "if (rev <= (state.rules?.at(-1)?.rev ?? 1)) reject('rules_rev', String(rev));",
    entry('rules_rev: '),
  ),
  refusal(
    'entry: admins by root only',
    rules,
    "if ((user.role === 'admin' || next === 'admin') && !byRoot) reject('root_only');",
    attack('admin-makes-admin'),
  ),
  refusal(
    'entry: team keys only go up',
    rules,
    "if (!same && next.epoch !== (now?.epoch ?? 0) + 1) reject('team_epoch', `${id}: ${next.epoch} after ${now?.epoch ?? 0}`);",
    entry('team_epoch: '),
  ),
  refusal(
    'entry: a new team key has a new number',
    rules,
    "if (same !== (now?.pk === next.pk)) reject('team_key', id);",
    entry('team_key: '),
  ),
  refusal(
    'entry: a site names a robot that there is',
    rules,
    "if (next.bot !== undefined && !state.bots?.[next.bot]) reject('unknown_bot');",
    entry('unknown_bot: '),
  ),
  refusal(
    "entry: a robot's key is its own",
    rules,
    "if ((known && known.ed !== ed) || person || other) reject('bot_key', id);",
    entry('bot_key: '),
  ),

  // ---- statements about the directory
  refusal(
    'snapshot: signed',
    snapshot,
    "if (!isGoodKey(s.signer) || !(await backend.verify('fresh', s.signer, s.raw, s.sig))) reject('signature');",
    attack('edited-snapshot'),
  ),
  refusal(
    'snapshot: not for ever',
    snapshot,
    "if (body.until - body.at > MAX_LIFE_MS) reject('snapshot_too_long');",
    attack('snapshot-for-ever'),
  ),
  refusal(
    'snapshot: begun',
    snapshot,
    "if (now !== null && body.at > now + MAX_AHEAD_MS) reject('snapshot_future');",
    attack('snapshot-of-tomorrow'),
  ),
  refusal(
    'snapshot: not over',
    snapshot,
    "if (now !== null && now > body.until) reject('snapshot_expired');",
    unit('trust', 'an expired and a forged snapshot'),
  ),
  {
    name: 'snapshot: by an admin whom root invited',
    file: snapshot,
    find: 'b.ed !== signer || b64u(e.signer) !== signer || ',
    replace: '',
    test: attack('own-snapshot'),
  },
  refusal(
    'snapshot: the state of this company',
    snapshot,
    "for (const k of ['org', 'root', 'recovery', 'opaque', 'suite'] as const) if (state[k] !== genesis[k]) reject('snapshot_state', k);",
    attack('snapshot-with-another-login'),
  ),
  {
    name: 'snapshot: of a log that is shown',
    file: snapshot,
    find: "if (!own) reject('directory_withheld', String(body.seq));",
    replace: 'if (!own) return body;',
    test: attack('snapshot-beyond-log'),
  },
  refusal(
    'snapshot: of the same log',
    snapshot,
    "if (!equal(own, body.head)) reject('directory_fork', String(body.seq));",
    attack('statement-of-another-head'),
  ),

  // ---- the directory as it is remembered and asked
  refusal(
    'directory: never back',
    directory,
    "if (this.seq < memory.seq) reject('directory_rollback', `${this.seq} < ${memory.seq}`);",
    unit('conversation-log', 'never goes back and never'),
  ),
  refusal(
    'directory: never another branch',
    directory,
    "if (own ? hex(own) !== memory.head : memory.seq >= this.base) reject('directory_fork', String(memory.seq));",
    attack('other-branch'),
  ),
  {
    name: 'directory: who came too late waits',
    file: directory,
    find: 'return k.exp !== null && this.now() > k.exp;',
    replace: 'return k.user === undefined;',
    test: unit('directory', 'who enrols acts like everybody else'),
  },

  // ---- the robot
  refusal(
    'day key: signed by the robot',
    daykey,
    "if (!(await backend.verify('bot', sized(bot.ed, 32), raw, unb64u(j.sig)))) reject('signature');",
    attack('foreign-day-key'),
  ),
  refusal(
    'day key: of this company and robot',
    daykey,
    "if (str(b.org) !== hex(dir.fp) || slug(b.bot) !== bot.id) reject('other');",
    attack('day-key-of-another-company'),
  ),
  refusal(
    'day key: not for ever',
    daykey,
    "if (until - at > MAX_LIFE_MS) reject('too_long');",
    attack('day-key-for-ever'),
  ),
  refusal(
    'day key: begun',
    daykey,
    "if (at > now + SKEW_MS) reject('bot_future');",
    unit('robot', 'a day key of the far future'),
  ),
  refusal(
    'day key: not over',
    daykey,
    "if (now >= until) reject('bot_over');",
    unit('robot', 'a day key that is over'),
  ),

  // ---- messages and grants
  refusal(
    'message: signed',
    envelope,
    "if (!(await backend.verify('sig', sender, env.signed, env.signature))) reject('signature');",
    attack('forged-with-the-key'),
  ),
  refusal(
    'grant: the announced keys',
    grant,
    "if (!want || !equal(want, commitment(conv, box.epoch, ek))) reject('commitment', `epoch ${box.epoch}`);",
    attack('grant-of-wrong-keys'),
  ),

  // ---- rule 1: what is remembered
  refusal(
    'memory: the same announcement under its number',
    chain,
    "if (remembered && hex(announcementHash(env.bytes)) !== remembered.hash) reject('history', 'another announcement than before');",
    unit('readers', 'another announcement under a remembered'),
  ),
  {
    name: 'memory: what was accepted is there',
    file: history,
    find: 'return (\n      !this.contradicts && (epoch < 0 || this.epochs.hashOf(epoch) === hash) && (seq === 0 || this.found === digest)\n    );',
    replace: 'return seq === -1 || digest === digest || hash === hash || epoch === epoch;',
    test: attack('tail-cut'),
  },
  {
    name: 'memory: the epoch is there',
    file: history,
    find: '(epoch < 0 || this.epochs.hashOf(epoch) === hash) && ',
    replace: '',
    test: unit('readers', 'an epoch that another tab accepted'),
  },
  {
    name: 'memory: the record is there',
    file: history,
    find: ' && (seq === 0 || this.found === digest)',
    replace: ' && seq >= 0 && digest === digest',
    test: attack('tail-cut'),
  },
  {
    name: 'memory: the records before it are there',
    file: history,
    find: 'this.contradicts ||= this.found !== this.before!.digest;',
    replace: 'this.found = this.before!.digest;',
    test: unit('attack', 'a message before the last record'),
  },
  {
    name: 'memory: another log does not take its place',
    file: log,
    find: 'if (history.contradicts) return { left };',
    replace: '',
    test: unit('attack', 'another log is not taken'),
  },
  {
    name: 'memory: nothing is shown before it',
    file: 'src/client/timeline.ts',
    find: 'if (e.seq > kept) break;',
    replace: 'if (e.seq > kept && kept < 0) break;',
    test: unit('attack', 'is remembered before it is seen'),
  },
  {
    name: 'memory: a frame takes the robot out for good',
    file: conversation,
    find: 'void memory.load().then(() => memory.save({ left: true }));',
    replace: '',
    test: unit('attack', 'that was said to be no owner'),
  },
  {
    name: 'tombstone: in its epoch',
    file: log,
    find: 'if (env.kind === Kind.tombstone || !epochs.current) epochs.here(env);',
    replace: '',
    test: unit('attack', 'before the first epoch are nothing'),
  },
  {
    name: 'acknowledged: by what leaves a line',
    file: log,
    find: 'return env.sender === this.context.kid && env.conv === this.id && kinds.includes(env.kind);',
    replace: 'return kinds.length > 0;',
    test: unit('attack', 'do not vanish'),
  },
  {
    name: 'message id: once',
    file: lines,
    find: "if (there && there.kind !== Kind.tombstone && there.kind !== Kind.noteTombstone) reject('replay');",
    replace: '',
    test: unit('attack', "of somebody else's message"),
  },
  {
    name: 'opening: a robot that was left out stays out',
    file: 'src/client/opener.ts',
    find: 'const person = without || ',
    replace: 'const person = ',
    test: unit('attack', 'is not let in by a new first announcement'),
  },
  {
    name: 'memory: nothing is sealed behind it',
    file: rotation,
    find: 'return epoch >= 0 && epochs.hashOf(epoch) !== hash;',
    replace: 'return epoch === -2 && hash.length === 1;',
    test: unit('memory', 'one that knows less asks again'),
  },
  {
    name: 'memory: a robot that left stays out',
    file: robotMembership,
    find: 'return this.requested || this.epochs.robotLeft;',
    replace: 'return this.requested;',
    test: unit('attack', 'that was said to be no owner'),
  },
  refusal(
    'memory: a log goes back only with a new database',
    restoration,
    "if (!gen || gen !== context.gen() || gen === asked) return c.end('error.history');",
    unit('memory', 'said without a new database'),
  ),
  {
    name: 'memory: an epoch that stays lost ends the conversation',
    file: restoration,
    find: "if (epochs.hashOf(memory.now.epoch) !== memory.now.hash && memory.now.epoch >= 0) return c.end('error.conversation_lost');",
    replace: '',
    test: unit('memory', 'a browser that kept no announcement'),
  },
  {
    name: 'memory: a conversation that is not named is gone',
    file: visitor,
    find: "return thread.end('error.conversation_gone');\n    this.opener.pending",
    replace: 'this.thread.value = null;\n    this.opener.pending',
    test: unit('memory', 'a conversation that is not named'),
  },
  {
    name: 'memory: no conversation that another began',
    file: visitor,
    find: 'if (memory.now.epoch >= 0) remembered.push(c);',
    replace: 'if (c) remembered.push(c);',
    test: unit('memory', 'takes up only one that its browser took part in'),
  },
  {
    name: 'seed: no robot in what this device does not remember',
    file: visitor,
    find: 'await memory.save({ left: true });',
    replace: '',
    test: unit('seed', 'hides the end of the log from a new device'),
  },
  refusal(
    'memory: no conversation of somebody else',
    log,
    "if (context.role === 'visitor' && !equal(ed, context.me.pk)) reject('visitor_keys', 'the conversation of somebody else');",
    unit('readers', "another visitor's conversation"),
  ),

  // ---- rules 2 and 3: place and rights
  refusal(
    'place: the epoch that is current',
    chain,
    "if (env.epoch !== epoch.epoch) reject('epoch', `epoch ${env.epoch} in ${epoch.epoch}`);",
    unit('readers', 'a reader without the key'),
  ),
  refusal(
    'place: this conversation',
    log,
    "if (env.conv !== this.id) reject('conversation');",
    unit('readers', 'a reader without the key'),
  ),
  refusal(
    "place: the visitor's own keys",
    log,
    "if (r.seq !== 1 || !equal(id, this.conv)) reject('visitor_keys');",
    unit('conversation-log', 'the visitor keys must hash'),
  ),
  {
    name: 'rights: active when the epoch began',
    file: rights,
    find: "const key = dir.keyAt(env.sender, epoch.dirSeq) ?? reject('sender', 'not active when this epoch began');",
    replace: "const key = dir.keyOf(env.sender) ?? reject('sender');",
    test: unit('readers', 'a key that was replaced'),
  },
  refusal(
    'rights: in the team of the epoch',
    rights,
    "if (epoch.team === null || !dir.inTeamAt(key.user, epoch.team, epoch.dirSeq)) reject('sender', 'not in the team of this epoch');",
    unit('readers', 'an agent of another team speaks'),
  ),
  refusal(
    'rights: active now, if it is said now',
    rights,
    "if (p.live && !(dir.keyNow(env.sender) && dir.inTeamNow(key.user, epoch.team!))) reject('sender', 'not active any more');",
    unit('readers', 'a dismissed agent'),
  ),
  {
    name: 'rights: a robot only where it is a member',
    file: rights,
    find: 'const robot = p.epoch.bot ? dir.botByKid(env.sender) : null;',
    replace: 'const robot = dir.botByKid(env.sender);',
    test: unit('readers', 'speaks only before the first epoch'),
  },
  refusal(
    'rights: no people in the epoch of a robot',
    log,
    "if (epoch.bot && from.user !== undefined) reject('bot_epoch');",
    unit('readers', 'agents write nothing where it reads'),
  ),
  {
    name: 'rights: notes are of agents',
    file: rights,
    find: "return note ? reject('sender', 'only agents write notes') : { ed: p.visitor.ed };",
    replace: 'return { ed: p.visitor.ed };',
    test: unit('readers', 'a note by the visitor'),
  },
  refusal(
    'epoch: no robot after one without it',
    epoch,
    "if (env.flags === 1 && !before.bot) reject('bot_again');",
    unit('readers', 'speaks only before the first epoch'),
  ),
  {
    name: 'writing: no epoch of somebody who is out',
    file: writable,
    find: '!makerIsThere(context, epochs, epoch) || ',
    replace: '',
    test: unit('trust', 'nothing is written into an epoch whose maker'),
  },

  // ---- rule 4 and counters: order
  {
    name: 'order: prev stands before',
    file: log,
    find: 'if (isStrict(context, epoch)) order.checkPrev(env, entry);',
    replace: '',
    test: attack('answer-before-question'),
  },
  {
    name: 'order: zeros only at the beginning',
    file: order,
    find: 'prev === ZEROS ? [...this.senders].every((s) => s === env.sender) : this.hashes.has(prev)',
    replace: 'prev === ZEROS || this.hashes.has(prev)',
    test: unit('readers', 'zeros are right only'),
  },
  {
    name: 'order: what is missing is marked',
    file: order,
    find: 'entry.missingBefore = !closed(gap, run.proved);',
    replace: '',
    test: unit('readers', 'what a far counter claims'),
  },
  refusal(
    'order: no number twice',
    lines,
    "if (env.ctr < this.order.next(env.sender, env.inst)) reject('replay');",
    attack('recall-twice'),
  ),

  // ---- rule 6: recalls
  {
    name: 'recall: signed',
    file: log,
    find: "if (!(await context.backend.verify('sig', from.ed, env.signed, env.signature))) reject('signature');\n    lines.checkCounter(env);\n    const what",
    replace: 'lines.checkCounter(env);\n    const what',
    test: attack('recall-forged'),
  },
  refusal(
    'recall: of what stands there',
    log,
    "if (target && !recalls(env, target)) reject('recall', 'it names another envelope');",
    attack('recall-by-another'),
  ),
  {
    name: 'recall: the hash',
    file: logEntry,
    find: 'return !whole || equal(envelopeHash(known.bytes), what.hash);',
    replace: 'return whole || !whole || equal(what.hash, what.hash);',
    test: attack('recall-of-other-bytes'),
  },
  {
    name: 'recall: a tombstone proves nothing',
    file: log,
    find: "if (epochs.isStrict()) entry.kind = 'removed';\n    else order",
    replace: 'order',
    test: attack('tombstone'),
  },
  {
    name: 'recall: an event proves nothing',
    file: log,
    find: "kind: epochs.isStrict() ? 'removed' : 'recalled'",
    replace: "kind: 'recalled'",
    test: attack('recalled-by-the-server'),
  },

  // ---- what strangers write, and how much of it
  {
    name: 'text: no closing mark is looked for twice',
    file: 'src/ui/markdown.ts',
    find: 'this.found.set(mark, at);',
    replace: '',
    test: unit('ui/strangers', 'of markdown are bounded'),
  },
  {
    name: 'text: so deep',
    file: 'src/ui/markdown.ts',
    find: 'if (depth > MAX_DEPTH) return [s];',
    replace: '',
    test: unit('ui/strangers', 'is so many nodes and so deep'),
  },
  {
    name: 'text: so many links',
    file: 'src/ui/linkify.ts',
    find: 'at < text.length && b.left > 0; at++',
    replace: 'at < text.length; at++',
    test: unit('ui/strangers', 'is so many nodes and so deep'),
  },
  {
    name: 'text: so many blocks',
    file: 'src/ui/markdown.ts',
    find: 'if (b.left-- <= 0) break;\n        const tag',
    replace: 'const tag',
    test: unit('ui/strangers', 'is so many nodes and so deep'),
  },
  {
    name: 'text: folded',
    file: 'src/ui/RichText.tsx',
    find: 'all ? text : text.slice(0, fold)',
    replace: 'text',
    test: { file: 'tests/ui/render.test.tsx', name: 'a long text is folded' },
  },
  {
    name: 'text: no piles of marks',
    file: 'src/ui/readable.ts',
    find: 'else if (++pile > MAX_PILE) {',
    replace: 'else if (++pile > 1e9) {',
    test: unit('ui/strangers', 'has no pile of marks'),
  },
  {
    name: 'text: parsed once',
    file: 'src/ui/RichText.tsx',
    find: '[text, as, all]',
    replace: 'undefined',
    test: { file: 'tests/ui/render.test.tsx', name: 'parses each text once' },
  },
  {
    name: 'thread: a part of it',
    file: 'src/ui/group.ts',
    find: 'from: Math.max(0, Math.floor((length - AT_END) / MAX_GROUP) * MAX_GROUP), to: length',
    replace: 'from: 0, to: length',
    test: { file: 'tests/ui/render.test.tsx', name: 'of ten thousand messages' },
  },
  {
    name: 'search: a long text is cut',
    file: 'src/knowledge/search.ts',
    find: 'whole.slice(0, MAX_CHARS)',
    replace: 'whole',
    test: unit('ui/strangers', 'of Search.find are bounded'),
  },
  {
    name: 'refusal: to wait is not to fail',
    file: 'src/client/send-queue.ts',
    find: 'if (passes(f.code)) this.pause.startAsAsked(f);\n    else if (++o',
    replace: 'if (++o',
    test: unit('refusals', 'never fails by waiting'),
  },
  {
    name: 'refusal: a conversation that is full takes no more',
    file: 'src/client/send-queue.ts',
    find: "return this.queue.some((o) => o.error === 'error.full');",
    replace: 'return false;',
    test: unit('refusals', 'says so for good'),
  },
  {
    name: 'refusal: the time that was said',
    file: 'src/link/errors.ts',
    find: 'Math.min(ms, MAX_WAIT_MS)',
    replace: '1_000',
    test: unit('refusals', 'waits for hours'),
  },

  // ---- files
  {
    name: 'file: of this conversation',
    file,
    find: "cat(utf8('kefu/1 file'), conv, msg)",
    replace: "cat(utf8('kefu/1 file'), msg)",
    test: unit('file-crypto', 'replayed from another conversation'),
  },
  {
    name: 'file: of this message',
    file,
    find: "cat(utf8('kefu/1 file'), conv, msg)",
    replace: "cat(utf8('kefu/1 file'), conv)",
    test: unit('file-crypto', 'replayed from another conversation'),
  },
  {
    name: 'file: each chunk in its place',
    file,
    find: 'cat(new Uint8Array(7), u32(i), new Uint8Array([last ? 1 : 0]))',
    replace: 'cat(new Uint8Array(7), u32(0), new Uint8Array([last ? 1 : 0]))',
    test: unit('file-crypto', 'with chunks swapped'),
  },
  {
    name: 'file: the last chunk is the last',
    file,
    find: 'new Uint8Array([last ? 1 : 0])',
    replace: 'new Uint8Array([last ? 0 : 0])',
    test: unit('file-crypto', 'a chunk of the middle is no end'),
  },
  refusal(
    'file: as long as it is',
    file,
    "if (sealed.length === 0 || sealed.length !== Math.min(sealedSize(size) - this.at, PART)) reject('file', 'length');",
    unit('file-crypto', 'with chunks swapped'),
  ),
  refusal(
    'file: nothing behind its end',
    file,
    "if (clear.subarray(own).some((x) => x !== 0)) reject('file', 'padding');",
    unit('file-crypto', 'with anything but zeros'),
  ),
  refusal(
    'file: its hash',
    file,
    "if (!equal(this.hash.digest(), sha)) reject('file', 'hash');",
    unit('file-crypto', 'of another size or hash'),
  ),
  refusal(
    'file: all of it',
    file,
    "if (this.chunk !== chunksOf(this.place.size)) reject('file', 'truncated');",
    unit('file-crypto', 'cut off before its end'),
  ),
  {
    name: 'file: no picture that nobody should decode',
    file: 'src/files/draw.ts',
    find: 'size && fits(size) ? kind',
    replace: 'size ? kind',
    test: unit('ui/files', 'is refused above forty million pixels'),
  },
  refusal(
    'file: where the server can be',
    'src/client/uploads.ts',
    "if (have < 0 || have > size || (have !== size && have % PART !== 0)) throw new ClientError('error.server', 'have');",
    unit('uploads', 'is never sent where the server says'),
  ),
];
