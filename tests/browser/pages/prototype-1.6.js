// A stand-in for Prototype.js 1.6, written after its documentation: what it adds to arrays, strings, numbers, dates, functions and elements.
(function () {
  const add = (to, what) => {
    for (const name in what) to[name] = what[name];
    return to;
  };
  const K = (x) => x;
  function $A(iterable) {
    if (!iterable) return [];
    if (iterable.toArray) return iterable.toArray();
    let length = iterable.length || 0;
    const results = new Array(length);
    while (length--) results[length] = iterable[length];
    return results;
  }
  const Enumerable = {
    each(iterator, context) {
      for (let i = 0; i < this.length; i++) iterator.call(context, this[i], i);
      return this;
    },
    collect(iterator, context) {
      const results = [];
      this.each((value, index) => results.push((iterator || K).call(context, value, index)));
      return results;
    },
    detect(iterator, context) {
      for (let i = 0; i < this.length; i++) if (iterator.call(context, this[i], i)) return this[i];
    },
    findAll(iterator, context) {
      const results = [];
      this.each((value, index) => iterator.call(context, value, index) && results.push(value));
      return results;
    },
    all(iterator, context) {
      let result = true;
      this.each((value, index) => (result = result && !!(iterator || K).call(context, value, index)));
      return result;
    },
    any(iterator, context) {
      let result = false;
      this.each((value, index) => (result = result || !!(iterator || K).call(context, value, index)));
      return result;
    },
    include(object) {
      return this.indexOf(object) !== -1;
    },
    inject(memo, iterator, context) {
      this.each((value, index) => (memo = iterator.call(context, memo, value, index)));
      return memo;
    },
    toArray() {
      return [].concat(this);
    },
    inspect() {
      return `[${this.collect(String).join(', ')}]`;
    },
    size() {
      return this.length;
    },
  };
  const { collect, detect, findAll, include, toArray, all, any } = Enumerable;
  add(Enumerable, { map: collect, find: detect, select: findAll, filter: findAll, member: include, entries: toArray, every: all, some: any });
  add(Array.prototype, Enumerable);
  Array.prototype._reverse = Array.prototype.reverse;
  add(Array.prototype, {
    _each: Array.prototype.forEach,
    clear() {
      this.length = 0;
      return this;
    },
    first() {
      return this[0];
    },
    last() {
      return this[this.length - 1];
    },
    compact() {
      return this.select((value) => value != null);
    },
    flatten() {
      return this.inject([], (array, value) => array.concat(Array.isArray(value) ? value.flatten() : [value]));
    },
    without(...values) {
      return this.select((value) => !values.include(value));
    },
    reverse(inline) {
      return (inline !== false ? this : this.toArray())._reverse();
    },
    uniq() {
      return this.inject([], (array, value) => (array.include(value) ? array : array.concat([value])));
    },
    toJSON() {
      const results = [];
      this.each((object) => results.push(Object.toJSON(object)));
      return `[${results.join(', ')}]`;
    },
  });
  Array.from = $A;
  add(String.prototype, {
    strip() {
      return this.replace(/^\s+/, '').replace(/\s+$/, '');
    },
    toArray() {
      return this.split('');
    },
    include(pattern) {
      return this.indexOf(pattern) > -1;
    },
    startsWith(pattern) {
      return this.indexOf(pattern) === 0;
    },
    endsWith(pattern) {
      const d = this.length - pattern.length;
      return d >= 0 && this.lastIndexOf(pattern) === d;
    },
    blank() {
      return /^\s*$/.test(this);
    },
    toJSON() {
      return `"${String(this).replace(/["\\]/g, '\\$&')}"`;
    },
  });
  add(Number.prototype, {
    toJSON() {
      return isFinite(this) ? this.toString() : 'null';
    },
    times(iterator) {
      for (let i = 0; i < this; i++) iterator(i);
    },
  });
  Boolean.prototype.toJSON = function () {
    return String(this);
  };
  Date.prototype.toJSON = function () {
    return `"${this.toISOString()}"`;
  };
  Object.toJSON = (object) => {
    if (object === null) return 'null';
    if (typeof object === 'object' && !object.toJSON) return `{${Object.keys(object).map((key) => `${key.toJSON()}: ${Object.toJSON(object[key])}`).join(', ')}}`;
    return object === undefined || typeof object === 'function' ? undefined : object.toJSON();
  };
  Function.prototype.bind = function (...args) {
    const method = this;
    const object = args.shift();
    return function (...rest) {
      return method.apply(object, args.concat(rest));
    };
  };
  Function.prototype.curry = function (...args) {
    const method = this;
    return (...rest) => method.apply(this, args.concat(rest));
  };
  add(HTMLElement.prototype, {
    visible() {
      return this.style.display !== 'none';
    },
    hide() {
      this.style.display = 'none';
      return this;
    },
    show() {
      this.style.display = '';
      return this;
    },
    remove() {
      this.parentNode.removeChild(this);
      return this;
    },
    update(content) {
      this.innerHTML = content;
      return this;
    },
  });
  add(Event.prototype, {
    stop() {
      this.preventDefault();
      this.stopPropagation();
    },
    element() {
      return this.target;
    },
  });
  window.$A = $A;
  window.Prototype = { Version: '1.6.1', K };
})();
