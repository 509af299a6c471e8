/** Signing in: by password, by invite code the first time, or again after a lock. */
import type { AgentClient } from '../model';
import { lang } from '../i18n/core';
import { t } from '../i18n/console';
import { Button } from '../ui/Button';
import { Banner } from '../ui/Banner';
import { useAutofocus } from '../ui/focus';
import * as icon from '../ui/icons';
import { PasswordField } from '../ui/PasswordField';
import { TextField } from '../ui/TextField';
import { useSignal } from '../ui/signals';
import { lazy } from './lazy';
import { Logo } from './Logo';
import { setLang } from './settings';
import { useSubmit } from './useSubmit';

const FirstLogin = lazy<{ client: AgentClient; onClose?: () => void }>(
  async () => (await import('./FirstLogin')).FirstLogin,
);

export function SignIn({ client, locked }: { client: AgentClient; locked: boolean }) {
  const first = useSignal(false);
  const insecure = !client.trust.value.secure;
  return (
    <main class="c-gate">
      <section class="c-card">
        <header>
          <Logo />
          <h1>{locked ? t('lockedTitle') : t('app')}</h1>
          <Button kind="plain" size="sm" onClick={() => setLang(lang.value === 'en' ? 'zh-CN' : 'en')}>
            {t('language')}
          </Button>
        </header>
        {insecure ? (
          <Banner kind="danger" icon={icon.alert}>
            <strong>{t('insecureTitle')}</strong>
            <br />
            {t('insecureText')}
          </Banner>
        ) : locked ? (
          <Unlock client={client} />
        ) : (
          <>
            <div class="c-tabs" role="tablist">
              {[false, true].map((isFirst) => (
                <button
                  key={String(isFirst)}
                  type="button"
                  role="tab"
                  aria-selected={first.value === isFirst}
                  onClick={() => (first.value = isFirst)}
                >
                  {t(isFirst ? 'firstTime' : 'signIn')}
                </button>
              ))}
            </div>
            {first.value ? <FirstLogin client={client} /> : <Password client={client} />}
          </>
        )}
      </section>
    </main>
  );
}

function Password({ client }: { client: AgentClient }) {
  const user = useSignal(client.lastUser.value);
  return (
    <PasswordForm
      client={client}
      user={() => user.value}
      lead={t('signInLead')}
      action={t('signIn')}
      focusPassword={user.peek() !== ''}
    >
      <TextField
        name="user"
        label={t('user')}
        value={user.value}
        onValue={(v) => (user.value = v.trim().toLowerCase())}
        autocomplete="username"
        autofocus={user.peek() === ''}
      />
    </PasswordForm>
  );
}

function Unlock({ client }: { client: AgentClient }) {
  return (
    <>
      <PasswordForm
        client={client}
        user={() => client.lastUser.value}
        lead={t('lockedLead')}
        action={t('unlock')}
        focusPassword
      >
        <p class="c-who">{client.lastUser.value}</p>
        {/* For password managers, which look for a field. */}
        <input
          class="k-sr"
          type="text"
          name="user"
          autocomplete="username"
          value={client.lastUser.value}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
      </PasswordForm>
      <Button kind="plain" wide onClick={() => void client.logout()}>
        {t('otherUser')}
      </Button>
    </>
  );
}

interface PasswordFormProps {
  client: AgentClient;
  user: () => string;
  lead: string;
  /** Label of the button. */
  action: string;
  focusPassword: boolean;
  children: preact.ComponentChildren;
}

function PasswordForm({ client, user, lead, action, focusPassword, children }: PasswordFormProps) {
  const password = useSignal('');
  const form = useAutofocus<HTMLFormElement>();
  const { busy, wrong, submit } = useSubmit(() => client.login(user(), password.peek()));
  return (
    <form ref={form} class="c-form" onSubmit={submit}>
      <p class="c-lead">{lead}</p>
      {children}
      <PasswordField
        name="password"
        label={t('password')}
        value={password.value}
        onValue={(v) => (password.value = v)}
        autocomplete="current-password"
        autofocus={focusPassword}
        error={wrong.value}
      />
      <Button type="submit" kind="primary" wide busy={busy} disabled={!user() || !password.value}>
        {busy ? t('signingIn') : action}
      </Button>
    </form>
  );
}
