/** Names of form fields. A site may have any; the usual ones are translated, the others shown by their id. */
import { t, type ConsoleKey } from '../i18n/console';

const KNOWN: Record<string, ConsoleKey> = {
  name: 'fName',
  email: 'fEmail',
  mail: 'fEmail',
  phone: 'fPhone',
  tel: 'fPhone',
  mobile: 'fPhone',
  topic: 'fTopic',
  question: 'fQuestion',
  company: 'fCompany',
  order: 'fOrder',
};

export function fieldLabel(id: string): string {
  const known = Object.hasOwn(KNOWN, id) ? KNOWN[id] : undefined;
  return known ? t(known) : id;
}
