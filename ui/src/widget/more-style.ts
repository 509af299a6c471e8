/** The style sheet of the third file. */
export { default as STYLE } from './more.css?inline';
