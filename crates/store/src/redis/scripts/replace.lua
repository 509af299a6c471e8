-- Puts a value under a name for a while, unless something else is there than was.
-- KEYS name   ARGV what was there (empty: nothing), value, milliseconds (0: for good)
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
