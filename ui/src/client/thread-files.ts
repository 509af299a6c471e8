/** What pages do with the files of one conversation. */
import type { FileBody } from '../crypto/envelope';
import { ClientError, type ThreadFiles } from '../model';
import type { ConversationContext } from './context';
import type { ConversationLog } from './conversation-log';
import type { SendQueue } from './send-queue';
import type { Uploads } from './uploads';

interface Parts {
  readonly id: string;
  readonly log: ConversationLog;
  readonly outbox: SendQueue;
  readonly uploads: Uploads;
}

export function threadFiles(context: ConversationContext, c: Parts): ThreadFiles {
  /** Of a line that is still there: one that was recalled has none. */
  const bodyOf = (id: string): FileBody | null => {
    const line = c.log.lines.find(id);
    const body = line ? line.kind === 'message' && line.body : c.outbox.items.find((o) => o.msg === id)?.body;
    return body && body.t === 'file' ? body : null;
  };
  return {
    upload: (id) => c.uploads.shown(id),
    pause: (id) => c.uploads.pause(id),
    resume: (id) => c.uploads.resume(id),
    cancel(id) {
      c.outbox.takeBack(id);
      context.opened.forget(c.id, id);
    },
    async load(id, o) {
      const body = bodyOf(id);
      if (!body) throw new ClientError('error.file_gone');
      return context.opened.load(c.id, id, body, o);
    },
  };
}
