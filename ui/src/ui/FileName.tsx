/** The name of a file: its ending is always there to be read, and nothing in it turns or hides. */
import { shownName } from '../files/names';

export function FileName({ name }: { name: string }) {
  const [start, end] = shownName(name);
  return (
    <bdi class="k-filename" dir="ltr" title={start + end}>
      <span>{start}</span>
      <span>{end}</span>
    </bdi>
  );
}
