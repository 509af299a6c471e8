// As MooTools 1.2 does: Array.from of one's own, methods on every prototype, all of them enumerable.
Array.from = (item) => (item == null ? [] : typeof item === 'object' && 'length' in item ? Array.prototype.slice.call(item) : [item]);
String.from = (item) => `${item}`;
Number.from = (item) => (isFinite(parseFloat(item)) ? parseFloat(item) : null);
Object.assign(Array.prototype, {
  each: Array.prototype.forEach,
  clean() {
    return this.filter((item) => item != null);
  },
  contains(item, from) {
    return this.indexOf(item, from) !== -1;
  },
  getLast() {
    return this.length ? this[this.length - 1] : null;
  },
  append(array) {
    this.push(...array);
    return this;
  },
});
Object.assign(String.prototype, {
  contains(string, separator) {
    return (separator ? `${separator}${this}${separator}` : this).indexOf(string) > -1;
  },
  camelCase() {
    return String(this);
  },
  clean() {
    return String(this).trim();
  },
});
Object.assign(Function.prototype, {
  extend(key, value) {
    this[key] = value;
    return this;
  },
  implement(key, value) {
    this.prototype[key] = value;
    return this;
  },
});
Object.assign(Element.prototype, {
  getElement(selector) {
    return this.querySelector(selector);
  },
  inject(el) {
    el.appendChild(this);
    return this;
  },
});
