-- Keys of a table in order, with their values.
-- KEYS: values, keys    ARGV: lowest, highest (as ZRANGE BYLEX has them), '1' if descending, limit
local keys
if ARGV[3] == '1' then
  keys = redis.call('ZRANGE', KEYS[2], ARGV[2], ARGV[1], 'BYLEX', 'REV', 'LIMIT', 0, ARGV[4])
else
  keys = redis.call('ZRANGE', KEYS[2], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[4])
end
local pairs = {}
for from = 1, #keys, 1000 do
  local to = math.min(from + 999, #keys)
  local values = redis.call('HMGET', KEYS[1], unpack(keys, from, to))
  for i = from, to do
    pairs[2 * i - 1], pairs[2 * i] = keys[i], values[i - from + 1] or ''
  end
end
return pairs
