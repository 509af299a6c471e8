/** The form before the first message. Nothing leaves the browser here: the answers go, encrypted, with the first message. */
import { useState } from 'preact/hooks';
import type { FormField, SiteInfo, VisitorClient } from '../model';
import { localised } from '../i18n/core';
import { fieldLabel } from '../i18n/fields';
import { t as shared } from '../i18n/shared';
import { errorText, t } from '../i18n/widget';
import { Button } from '../ui/Button';
import { RichText } from '../ui/RichText';
import { TextField } from '../ui/TextField';
import { bytesOf, MAX_TEXT_BYTES } from '../ui/textSize';
import { ExpectBanner, OtherBanner } from './Status';

/** A label that only repeats the id of its field is none. */
export function labelOf({ id, label }: FormField): string {
  const text = localised(label);
  return text && text !== id ? text : fieldLabel(id);
}

export const greetingOf = (site: SiteInfo): string => localised(site.greeting) || t('hello');

/** What is wrong with an answer, or ''. */
export function check(field: FormField, value: string, room = MAX_TEXT_BYTES): string {
  const v = value.trim();
  if (bytesOf(v) > room) return errorText('error.too_large');
  if (!v) return field.required ? shared('required') : '';
  if (field.type === 'email' && (v.length > 254 || !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(v))) return t('email');
  if (field.type === 'tel' && !/^[+()\d\s-]{5,20}$/.test(v)) return t('tel');
  return '';
}

const AUTOCOMPLETE: Record<string, string> = { email: 'email', tel: 'tel' };

interface FormProps {
  client: VisitorClient;
  site: SiteInfo;
  /** What was given so far, by field; kept when the form goes from the screen. */
  answers: Record<string, string>;
}

export function StartForm({ client, site, answers: kept }: FormProps) {
  const [values, setValues] = useState<Record<string, string>>(kept);
  const [tried, setTried] = useState(false);
  /** For each answer; where the visitor is has the rest. */
  const room = MAX_TEXT_BYTES / 2 / site.form.length;
  const robot = client.robot.value;
  const away = client.presence.value === 'away' && !robot;

  const submit = (e: Event) => {
    e.preventDefault();
    setTried(true);
    const wrong = site.form.find((field) => check(field, values[field.id] ?? '', room));
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
      <OtherBanner client={client} />
      <ExpectBanner client={client} />
      <form class="w-form" noValidate onSubmit={submit}>
        <div class="w-greeting k-text" dir="auto">
          <RichText text={greetingOf(site)} as="markdown" />
        </div>
        {site.form.map((field, i) => (
          <TextField
            key={field.id}
            name={field.id}
            label={labelOf(field)}
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
            error={tried ? check(field, values[field.id] ?? '', room) : ''}
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
