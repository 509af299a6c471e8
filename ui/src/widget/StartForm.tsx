/** The form before the first message. Nothing leaves the browser here: the answers go, encrypted, with the first message. */
import { useState } from 'preact/hooks';
import type { FormField, Localised, SiteInfo, VisitorClient } from '../model';
import { lang } from '../i18n/core';
import { t as shared } from '../i18n/shared';
import { t } from '../i18n/widget';
import { Button } from '../ui/Button';
import { RichText } from '../ui/bits';
import { TextField } from '../ui/TextField';
import { ExpectBanner } from './Status';

export function localised(text: Localised | undefined): string {
  return (lang.value === 'en' ? text?.en || text?.zh : text?.zh || text?.en) ?? '';
}

/** What is wrong with an answer, or ''. */
export function check(field: FormField, value: string): string {
  const v = value.trim();
  if (!v) return field.required ? shared('required') : '';
  if (field.type === 'email' && (v.length > 254 || !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(v))) return t('email');
  if (field.type === 'tel' && !/^[+()\d\s-]{5,20}$/.test(v)) return t('tel');
  return '';
}

const AUTOCOMPLETE: Record<string, string> = { email: 'email', tel: 'tel' };

// Survives closing and opening the panel.
const kept: Record<string, string> = {};

export function StartForm({ client, site }: { client: VisitorClient; site: SiteInfo }) {
  const [values, setValues] = useState<Record<string, string>>(kept);
  const [tried, setTried] = useState(false);
  const greeting = localised(site.greeting);
  const robot = client.robot.value;
  const away = client.presence.value === 'away' && !robot;

  const submit = (e: Event) => {
    e.preventDefault();
    setTried(true);
    const wrong = site.form.find((field) => check(field, values[field.id] ?? ''));
    if (wrong) {
      const form = e.currentTarget as HTMLFormElement;
      form.querySelector<HTMLElement>(`[name="${CSS.escape(wrong.id)}"]`)?.focus();
      return;
    }
    const answers = site.form.map((field) => [field.id, (values[field.id] ?? '').trim()] as const);
    client.start(Object.fromEntries(answers.filter(([, value]) => value)));
  };

  return (
    <div class="w-scroll">
      <ExpectBanner client={client} />
      <form class="w-form" noValidate onSubmit={submit}>
        {greeting && (
          <p class="w-greeting" dir="auto">
            <RichText text={greeting} as="links" />
          </p>
        )}
        {site.form.map((field, i) => (
          <TextField
            key={field.id}
            name={field.id}
            label={localised(field.label) || field.id}
            type={field.type}
            required={field.required}
            autocomplete={AUTOCOMPLETE[field.type] ?? (field.id === 'name' ? 'name' : 'off')}
            autofocus={i === 0}
            options={field.options?.map((o) => ({ value: o.value, label: localised(o.label) || o.value }))}
            value={values[field.id] ?? ''}
            onValue={(value) => {
              kept[field.id] = value;
              setValues({ ...values, [field.id]: value });
            }}
            error={tried ? check(field, values[field.id] ?? '') : ''}
          />
        ))}
        <Button type="submit" kind="primary" wide>
          {t(away ? 'leave' : 'start')}
        </Button>
        <p class="w-fine">{t(robot ? 'formRobot' : 'formText')}</p>
      </form>
    </div>
  );
}
