/** The first sign-in: an invite code becomes keys, made in this browser, and a password that only the agent knows. */
import type { AgentClient } from '../model';
import { errorText, t } from '../i18n/console';
import { Button } from '../ui/Button';
import { useAutofocus } from '../ui/focus';
import { readable } from '../ui/fingerprint';
import { PasswordField } from '../ui/PasswordField';
import { TextField } from '../ui/TextField';
import { useSignal } from '../ui/signals';
import { useSubmit } from './useSubmit';
import './FirstLogin.css';

/** Characters, as people count them. */
export const PASSWORD_FLOOR = 10;
export const lengthOf = (password: string): number => [...password].length;

export function NewPassword({
  label,
  value,
  onValue,
  autofocus,
}: {
  label: string;
  value: string;
  onValue: (v: string) => void;
  autofocus?: boolean;
}) {
  const left = PASSWORD_FLOOR - lengthOf(value);
  return (
    <PasswordField
      name="new-password"
      label={label}
      value={value}
      onValue={onValue}
      autocomplete="new-password"
      autofocus={autofocus}
      hint={value && left > 0 ? t('passwordLeft', { n: left }) : t('passwordHint')}
    />
  );
}

export function FirstLogin({ client }: { client: AgentClient }) {
  const code = useSignal('');
  const password = useSignal('');
  const form = useAutofocus<HTMLFormElement>();
  const read = code.value.trim() ? client.readCode(code.value) : null;
  // Shown only when enough was typed to be wrong; typing the first letters is not an error.
  const mistyped = !read && code.value.replace(/[\s-]/g, '').length >= 64 ? errorText('error.invite_format') : '';

  const { busy, wrong, submit } = useSubmit(() => client.firstLogin(code.peek(), password.peek()));

  return (
    <form ref={form} class="c-form" onSubmit={submit}>
      <p class="c-lead">{t('firstLead')}</p>
      <TextField
        name="code"
        type="textarea"
        mono
        rows={3}
        label={t('code')}
        value={code.value}
        onValue={(v) => {
          code.value = v;
          // what was wrong with another code is not wrong with this one
          wrong.value = '';
        }}
        hint={t('codeHint')}
        error={wrong.value || mistyped}
        autofocus
      />
      {read && (
        <div class="c-fingerprint" role="status">
          <p>{t('codeOrg')}</p>
          <code>{readable(read.org)}</code>
          <p>{t('codeCompare')}</p>
        </div>
      )}
      <NewPassword label={t('newPassword')} value={password.value} onValue={(v) => (password.value = v)} />
      <Button
        type="submit"
        kind="primary"
        wide
        busy={busy}
        disabled={!read || lengthOf(password.value) < PASSWORD_FLOOR}
      >
        {busy ? t('creating') : t('createKeys')}
      </Button>
      <p class="k-hint">{t('passwordWarn')}</p>
    </form>
  );
}
