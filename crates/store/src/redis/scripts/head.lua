-- What a conversation is at one moment.
-- KEYS: records, conversation, lane    ARGV: first index of records to read too, and the last; or nothing
local c = redis.call('HMGET', KEYS[2], 'v', 'r', 'b', 'm0', 'm1')
local n = redis.call('LLEN', KEYS[1])
local last = redis.call('LINDEX', KEYS[1], -1)
local records = {}
if ARGV[1] then records = redis.call('LRANGE', KEYS[1], ARGV[1], ARGV[2]) elseif last then last = string.sub(last, 1, 8) end
return {tonumber(c[1] or 0), c[2], tonumber(c[3] or 0), c[4], c[5], n, last, redis.call('HGET', KEYS[3], 'g'), records}
