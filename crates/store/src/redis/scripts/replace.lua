-- Puts a value under a name for a while, unless something else is there than was.
-- KEYS name   ARGV what was there (empty: nothing), value, milliseconds
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
