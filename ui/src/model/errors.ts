/** Errors that are shown to people. Texts (zh, en) are in `i18n/`. */
import type { Limit } from '../proto';

export const ERROR_KEYS = [
  'error.network', // no connection, or the server did not answer
  'error.server', // the server answered nonsense or with an unknown error
  'error.busy', // too many sockets from here; comes back by itself
  'error.protocol', // this page and the server do not understand each other: reload
  'error.unsupported', // this page is too old or too new for the server: reload
  'error.disabled', // this account was switched off
  'error.unconfirmed', // this person enrolled late, and an admin has not confirmed them yet
  'error.unauthorised', // the server does not know this key (signed in elsewhere, switched off, or data was lost)
  'error.insecure', // the site insists on https and this page was not loaded over it
  'error.no_crypto', // no random numbers or no way to encrypt in this browser
  'error.site_unknown', // the snippet names a site that does not exist or is off
  'error.origin', // the site does not list the origin of this page
  'error.csp', // the page's own security policy forbids to connect to the server
  'error.socket', // the server answers requests, but no socket is let through
  'error.pin', // the server's company key is not the one pinned in the page
  'error.directory', // the signed list of agents and keys does not verify
  'error.directory_fork', // the server showed different lists to different people: an alarm
  'error.history', // the server showed another past of a conversation than before: an alarm
  'error.conversation_gone', // the server does not name a conversation any more
  'error.conversation_lost', // a restored backup lost its last epoch for good
  'error.clock', // this device's clock is wrong: what is right seems out of date or of the future
  'error.snapshot_expired', // the signed statement about the list is too old: the company must renew it
  'error.rate_limited', // too fast; it is retried by itself
  'error.too_large', // the message is too long
  'error.file_large', // more bytes than the site takes of one file
  'error.file_refused', // the server does not take this file
  'error.file_lost', // what was kept of it to be sent is not there any more
  'error.file_unread', // the browser cannot read it: it was moved or changed
  'error.file_space', // this browser has no space to keep it until it is sent
  'error.file_gone', // the server does not have it: taken back, or too old
  'error.file_false', // what the server gave is not what was sent
  'error.full', // the conversation holds as much as one may: a new one is needed
  'error.forbidden',
  'error.not_found',
  'error.conflict', // another change was committed first
  'error.closed', // the conversation is closed
  'error.not_owner', // only the agent who has the conversation may do this
  'error.too_late', // the two minutes for a recall are over
  'error.storage', // the server could not write; nothing was kept
  'error.refused', // the server refused for another reason
  'error.no_key', // this agent has no key to this conversation or team
  'error.bot_member', // agents do not write while a robot is a member
  'error.login', // wrong user id or password
  'error.server_key', // the login server is not the one of this company
  'error.invite_format', // the code is mistyped
  'error.invite_org', // the code belongs to another company
  'error.invite_used', // used, revoked, or unknown
  'error.invite_expired',
  'error.password_short', // fewer than 10 characters
] as const;
export type ErrorKey = (typeof ERROR_KEYS)[number];

/**
 * Errors that pass with time: a limit was reached, the server can store nothing at the moment (`storage`), or it claims to have sent
 * everything and did not (`missing`). `until`: local time in ms, when it may be tried again.
 */
export interface Wait {
  why: Limit | 'storage' | 'rate' | 'missing';
  until: number;
}

/** The one error pages see. `key` is translated, `detail` is for the console log. */
export class ClientError extends Error {
  constructor(
    readonly key: ErrorKey,
    readonly detail = '',
    /** When it may be tried again, if that would help. */
    readonly wait?: Wait,
  ) {
    super(detail ? `${key}: ${detail}` : key);
    this.name = 'ClientError';
  }
}
