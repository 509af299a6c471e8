/** A part of a page that is fetched when it is first shown. */
import type { ComponentChild, FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';

interface LazyProps<P> {
  /** Always the same function: what it fetched stays. */
  load: () => Promise<FunctionComponent<P>>;
  props: P;
  /** Meanwhile. */
  children: ComponentChild;
  /** It could not be fetched. */
  failed: (again: () => void) => ComponentChild;
}

export function Lazy<P extends object>({ load, props, children, failed }: LazyProps<P>) {
  const [Part, setPart] = useState<FunctionComponent<P> | null>(null);
  const [tries, setTries] = useState(0);
  const [bad, setBad] = useState(false);
  useEffect(() => {
    let over = false;
    setBad(false);
    load().then(
      (part) => !over && setPart(() => part),
      () => !over && setBad(true),
    );
    return () => {
      over = true;
    };
  }, [load, tries]);
  if (Part) return <Part {...props} />;
  return <>{bad ? failed(() => setTries(tries + 1)) : children}</>;
}
