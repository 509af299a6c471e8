// Names that `for … in` meets on every object and array, and a toJSON on all of them.
Object.prototype.extend = function (from) {
  return Object.assign(this, from);
};
Object.prototype.kefu_each = 1;
Array.prototype.last = function () {
  return this[this.length - 1];
};
Object.prototype.toJSON = function () {
  return '[object of the page]';
};
Array.prototype.toJSON = String.prototype.toJSON = Number.prototype.toJSON = Boolean.prototype.toJSON = Object.prototype.toJSON;
