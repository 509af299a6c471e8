/**
 * Every attack of the bench. Of the 36 attacks of the protocol's model, 30 to 33 are on attachments, which are not built; they belong
 * here when they are.
 */
import type { Attack } from '../attack';
import { conversations } from './conversations';
import { directory } from './directory';
import { epochs } from './epochs';
import { messages } from './messages';
import { past } from './past';
import { people } from './people';
import { recalls } from './recalls';
import { speakers } from './speakers';

export const ATTACKS: readonly Attack[] = [
  ...directory,
  ...people,
  ...epochs,
  ...past,
  ...messages,
  ...speakers,
  ...recalls,
  ...conversations,
];
/** Attacks of the model that nothing can try yet. */
export const NOT_BUILT = [30, 31, 32, 33];
