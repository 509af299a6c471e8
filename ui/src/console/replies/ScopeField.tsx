/** Who has a reply: one person, a team, or the company. */
import { useId } from 'preact/hooks';
import type { Scope } from '../../model';

interface ScopeFieldProps {
  label: string;
  scopes: readonly { scope: Scope; name: string }[];
  value: Scope;
  onValue: (scope: Scope) => void;
}

export function ScopeField({ label, scopes, value, onValue }: ScopeFieldProps) {
  const id = useId();
  return (
    <div class="k-field">
      <label for={id}>{label}</label>
      <select id={id} class="k-input" value={value} onChange={(e) => onValue(e.currentTarget.value as Scope)}>
        {scopes.map((one) => (
          <option key={one.scope} value={one.scope}>
            {one.name}
          </option>
        ))}
      </select>
    </div>
  );
}
