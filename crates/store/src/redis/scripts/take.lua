-- Takes tokens from buckets, from all or from none. A bucket that is full is not there.
-- KEYS buckets   ARGV for each: tokens wanted, tokens it holds, tokens added in a millisecond
-- Returns 0, or in how many milliseconds all have enough.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local levels, wait = {}, 0
for i, key in ipairs(KEYS) do
  local want, holds, rate = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3])
  local bucket = redis.call('HMGET', key, 'level', 'at')
  local level, at = tonumber(bucket[1] or holds), tonumber(bucket[2] or now)
  level = math.min(holds, level + math.max(0, now - at) * rate)
  levels[i] = level
  local missing = math.min(want, holds) - level
  if missing > 0 then wait = math.max(wait, math.ceil(missing / rate)) end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  local want, holds, rate = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3])
  local level = levels[i] - want
  redis.call('HSET', key, 'level', string.format('%.6f', level), 'at', string.format('%d', now))
  redis.call('PEXPIRE', key, string.format('%d', math.ceil((holds - level) / rate) + 1000))
end
return 0
