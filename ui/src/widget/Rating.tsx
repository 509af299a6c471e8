/** The question how it went, after the close: stars, and words for the team. Fetched when it is asked. */
import { useState } from 'preact/hooks';
import { ClientError, type VisitorClient } from '../model';
import { t } from '../i18n/rating';
import { errorText } from '../i18n/widget';
import { Button } from '../ui/Button';
import { TextField } from '../ui/TextField';

const STARS = [1, 2, 3, 4, 5] as const;
/** Longest words, characters. */
const MAX_WORDS = 1_000;

export function Rating({ client }: { client: VisitorClient }) {
  const [stars, setStars] = useState(0);
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const send = async () => {
    setBusy(true);
    setError('');
    try {
      await client.rate(stars, words.trim().slice(0, MAX_WORDS));
    } catch (e) {
      setError(errorText(e instanceof ClientError ? e.key : undefined));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="w-rating"
      onSubmit={(e) => {
        e.preventDefault();
        if (stars) void send();
      }}
    >
      <fieldset>
        <legend>{t('ask')}</legend>
        <div class="w-stars">
          {STARS.map((n) => (
            <label key={n} class={n <= stars ? 'w-star w-star-on' : 'w-star'} title={t(`s${n}`)}>
              <input type="radio" name="stars" value={n} checked={n === stars} onChange={() => setStars(n)} />
              <span aria-hidden="true">{n <= stars ? '★' : '☆'}</span>
              <span class="k-sr">
                {n}: {t(`s${n}`)}
              </span>
            </label>
          ))}
        </div>
        <p class="w-star-word" aria-hidden="true">
          {stars ? t(`s${stars as 1}`) : '\u00a0'}
        </p>
      </fieldset>
      {stars > 0 && (
        <>
          <TextField label={t('words')} value={words} onValue={setWords} type="textarea" rows={2} error={error} />
          <Button kind="primary" size="sm" type="submit" busy={busy}>
            {t('send')}
          </Button>
        </>
      )}
    </form>
  );
}
