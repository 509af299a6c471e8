-- Replaces a value that the servers share beside the tables, if it still has the version that the caller knows.
-- KEYS: hash   ARGV: name, known version or '', new version, '1' and the value or '0'
-- Returns the version that it has afterwards.
local version = redis.call('HGET', KEYS[1], 'v:' .. ARGV[1]) or ''
if version ~= ARGV[2] then return version end
redis.call('HSET', KEYS[1], 'v:' .. ARGV[1], ARGV[3])
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[5])
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return ARGV[3]
