/** A password that can be looked at. */
import { useState } from 'preact/hooks';
import { t } from '../i18n/shared';
import { IconButton } from './Button';
import * as icon from './icons';
import { TextField, type FieldProps } from './TextField';

export function PasswordField(props: Omit<FieldProps, 'type' | 'end'>) {
  const [shown, show] = useState(false);
  const eye = (
    <IconButton
      icon={shown ? icon.eyeOff : icon.eye}
      label={t(shown ? 'hide' : 'show')}
      aria-pressed={shown}
      onClick={() => show(!shown)}
    />
  );
  return <TextField {...props} type={shown ? 'text' : 'password'} end={eye} />;
}
