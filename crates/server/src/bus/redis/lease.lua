-- Takes or keeps the lease of the desk, by the time of Redis.
-- KEYS lease   ARGV node, milliseconds it lasts, whether it wants it
-- Returns who has it now; empty: nobody.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local lease = redis.call('HMGET', KEYS[1], 'node', 'until')
local free = not lease[1] or tonumber(lease[2]) < now
if ARGV[3] == '1' and (free or lease[1] == ARGV[1]) then
  redis.call('HSET', KEYS[1], 'node', ARGV[1], 'until', string.format('%d', now + ARGV[2]))
  return ARGV[1]
end
if lease[1] == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return ''
end
return free and '' or lease[1]
