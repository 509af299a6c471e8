/** A labelled field with a hint and an error that screen readers find. Also choices and long texts. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export interface FieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  type?: 'text' | 'email' | 'tel' | 'password' | 'textarea' | 'select';
  options?: { value: string; label: string }[];
  hint?: string;
  error?: string;
  required?: boolean;
  autocomplete?: string;
  autofocus?: boolean;
  mono?: boolean;
  rows?: number;
  name?: string;
  /** Shown at the end of the field. */
  end?: ComponentChildren;
}

export function TextField(props: FieldProps) {
  const { label, value, onValue, type = 'text', hint, error, required, mono, rows = 3, options = [] } = props;
  const id = useId();
  const common = {
    id,
    name: props.name,
    value,
    required,
    'data-autofocus': props.autofocus || undefined,
    'aria-invalid': error ? ('true' as const) : undefined,
    'aria-describedby': error || hint ? `${id}-d` : undefined,
    class: `k-input${mono ? ' k-mono' : ''}`,
    onInput: (e: { currentTarget: { value: string } }) => onValue(e.currentTarget.value),
  };
  return (
    <div class={`k-field${error ? ' k-bad' : ''}`}>
      <label for={id}>
        {label}
        {required && (
          <span class="k-req" aria-hidden="true">
            {' '}
            *
          </span>
        )}
      </label>
      {type === 'textarea' ? (
        <textarea {...common} rows={rows} spellcheck={!mono} autocomplete="off" />
      ) : type === 'select' ? (
        <select {...common}>
          <option value="" />
          {options.map((o) => (
            <option key={o.value} value={o.value}>
              {o.label}
            </option>
          ))}
        </select>
      ) : (
        <span class="k-inputbox">
          <input {...common} type={type} autocomplete={props.autocomplete ?? 'off'} spellcheck={false} />
          {props.end}
        </span>
      )}
      {(error || hint) && (
        <p id={`${id}-d`} class={error ? 'k-error' : 'k-hint'} role={error ? 'alert' : undefined}>
          {error || hint}
        </p>
      )}
    </div>
  );
}
