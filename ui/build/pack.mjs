// Compresses what the server embeds. The panel is packed so that the single file, all of the widget in one, is its packed bytes with a
// little after them: the executable need not hold both.
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  crc32,
  createBrotliCompress,
  createGzip,
  gunzipSync,
  gzipSync,
} from 'node:zlib';

/** 2^16 bytes in a block: the widget's text, style and code differ, and small blocks suit each. */
const LGBLOCK = 16;
/** Three ways to write distances: which one suits a file cannot be known in advance. */
const POSTFIXES = [0, 1, 2];

const options = (postfix, size) => ({
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGBLOCK]: LGBLOCK,
    [constants.BROTLI_PARAM_NPOSTFIX]: postfix,
    [constants.BROTLI_PARAM_SIZE_HINT]: size,
  },
});

const shortest = (all, length) => all.reduce((best, next) => (length(next) < length(best) ? next : best));

export const brotli = (bytes) =>
  shortest(
    POSTFIXES.map((postfix) => brotliCompressSync(bytes, options(postfix, bytes.length))),
    (packed) => packed.length,
  );

/** Ends a Brotli stream at a byte: the last block, which is empty. */
const BROTLI_END = Buffer.of(3);
/** The same of a deflate stream. */
const DEFLATE_END = Buffer.of(3, 0);

/** One stream over both, cut where the second begins. */
async function inTwo(stream, flush, first, second) {
  const out = [];
  stream.on('data', (chunk) => out.push(chunk));
  const ended = new Promise((done, fail) => stream.on('end', done).on('error', fail));
  stream.write(first);
  await new Promise((done) => stream.flush(flush, done));
  const head = Buffer.concat(out.splice(0));
  stream.end(second);
  await ended;
  return [head, Buffer.concat(out)];
}

/** What a gzip file ends in. */
function trailer(bytes) {
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(bytes), 0);
  end.writeUInt32LE(bytes.length, 4);
  return end;
}

function same(unpacked, bytes, what) {
  if (!unpacked.equals(bytes)) throw new Error(`${what} of the widget does not unpack to what was packed`);
}

/**
 * The packed files, and `tails`: what takes the place of the end of the packed panel (1 byte of Brotli, 10 of gzip) in the packed single
 * file. `crates/server/src/http/assets.rs` puts them together.
 */
export async function packedWidget({ panel, more, launcher }) {
  const rest = Buffer.concat([more, launcher]);
  const single = Buffer.concat([panel, rest]);
  const ways = [];
  for (const postfix of POSTFIXES) {
    const stream = createBrotliCompress(options(postfix, single.length));
    ways.push(await inTwo(stream, constants.BROTLI_OPERATION_FLUSH, panel, rest));
  }
  const [brHead, brTail] = shortest(ways, ([head]) => head.length);
  const [gzHead, gzTail] = await inTwo(createGzip({ level: 9 }), constants.Z_SYNC_FLUSH, panel, rest);
  const br = Buffer.concat([brHead, BROTLI_END]);
  const gz = Buffer.concat([gzHead, DEFLATE_END, trailer(panel)]);
  same(brotliDecompressSync(br), panel, 'panel.js.br');
  same(gunzipSync(gz), panel, 'panel.js.gz');
  same(brotliDecompressSync(Buffer.concat([brHead, brTail])), single, 'single.br');
  same(gunzipSync(Buffer.concat([gzHead, gzTail])), single, 'single.gz');
  const alone = (bytes) => ({ br: brotli(bytes), gz: gzipSync(bytes, { level: 9 }) });
  return {
    'w/panel.js': { br, gz },
    'w/more.js': alone(more),
    'w/kefu.js': alone(launcher),
    tails: { br: brTail, gz: gzTail },
  };
}
