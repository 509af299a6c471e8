/** Names of form fields: the same as visitors see. */
export { fieldLabel } from '../i18n/fields';
