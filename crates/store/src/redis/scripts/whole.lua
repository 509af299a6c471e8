-- All of a conversation at one moment, for a copy of it. Writes nothing.
-- KEYS: records, ids, conversation, lane, then indexes
-- ARGV: first index of records to read, how many are read at most, '1' if ids are read, then for each index S or Z and the
-- member to look for
-- Where there are more records than that, none are read.
local c = redis.call('HMGET', KEYS[3], 'v', 'r', 'b', 'm0', 'm1')
local n = redis.call('LLEN', KEYS[1])
local records, ids, places = {}, {}, {}
if n - ARGV[1] <= tonumber(ARGV[2]) then
  records = redis.call('LRANGE', KEYS[1], ARGV[1], -1)
  if ARGV[3] == '1' then ids = redis.call('HGETALL', KEYS[2]) end
end
for i = 5, #KEYS do
  local kind, member = ARGV[2 * i - 6], ARGV[2 * i - 5]
  if kind == 'S' then
    places[i - 4] = redis.call('SISMEMBER', KEYS[i], member)
  else
    places[i - 4] = redis.call('ZSCORE', KEYS[i], member) and 1 or 0
  end
end
-- a lane that is held has another generation for that alone
local lane = redis.call('HMGET', KEYS[4], 'g', 'hold')
local g = lane[1] and lane[1] - (lane[2] and 1 or 0)
return {c[1], c[2], c[3], c[4], c[5], n, g, records, ids, places}
