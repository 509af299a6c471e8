/** How agents seal notes to a team, and open those that an earlier page load sealed. The widget does not carry it. */
import { decodeBody, openNote, sealNote } from '../crypto/envelope';
import type { NoteCodec } from './sealer';

export const agentNotes: NoteCodec = {
  seal(context, fields, body, team) {
    return sealNote(context.backend, fields, context.directory().teamPk(team), body, context.me);
  },

  async open(context, env) {
    for (const key of context.boxes().values()) {
      const bytes = await openNote(context.backend, env, key, context.me.pk).catch(() => null);
      if (bytes) return decodeBody(bytes);
    }
    return null;
  },
};
