/** A labelled field with a hint and an error that screen readers find. Also choices, long texts and passwords. */
import { useId, useState } from 'preact/hooks';
import { t } from '../i18n/shared';
import { IconButton } from './Button';

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
}

export function TextField(props: FieldProps) {
  const { label, value, onValue, type = 'text', hint, error, required, mono, rows = 3, options = [] } = props;
  const id = useId();
  const [shown, show] = useState(false);
  const common = {
    id,
    name: props.name,
    value,
    required,
    autofocus: props.autofocus,
    'aria-invalid': error ? ('true' as const) : undefined,
    'aria-describedby': error || hint ? `${id}-d` : undefined,
    class: `k-input${mono ? ' k-mono' : ''}`,
    onInput: (e: { currentTarget: { value: string } }) => onValue(e.currentTarget.value),
  };
  return (
    <div class={`k-field${error ? ' k-bad' : ''}`}>
      <label for={id}>
        {label}
        {required && type !== 'password' && <span class="k-req" aria-hidden="true"> *</span>}
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
          <input {...common} type={type === 'password' && shown ? 'text' : type} autocomplete={props.autocomplete ?? 'off'} spellcheck={false} />
          {type === 'password' && (
            <IconButton icon={shown ? 'eyeOff' : 'eye'} label={t(shown ? 'hide' : 'show')} aria-pressed={shown} onClick={() => show(!shown)} />
          )}
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
