/** How agents seal notes to a team, and open those that an earlier page load sealed. The widget does not carry it. */
import { decodeBody, openNote, sealNote } from '../crypto/envelope';
import type { NoteCodec } from './sealer';

export const agentNotes: NoteCodec = {
  seal(port, fields, body, team) {
    return sealNote(port.backend, fields, port.directory().teamPk(team), body, port.me);
  },

  async open(port, env) {
    for (const key of port.boxes().values()) {
      const bytes = await openNote(port.backend, env, key, port.me.pk).catch(() => null);
      if (bytes) return decodeBody(bytes);
    }
    return null;
  },
};
