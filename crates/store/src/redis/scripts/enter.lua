-- Says which process answers for a lane from now on. Another one than before may know less: the generation rises.
-- KEYS: lane    ARGV: process, company, '1' if the lane may be a new one
local h = redis.call('HMGET', KEYS[1], 'g', 'run', 'id', 'n', 'moved', 'hold')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local g = tonumber(h[1])
if not g then
  if ARGV[3] ~= '1' then return {'N'} end
  redis.call('HSET', KEYS[1], 'g', now, 'run', ARGV[1], 'id', ARGV[2], 'n', 0)
  return {'E', now, 0}
end
if h[3] ~= ARGV[2] then return {'O'} end
-- it is somewhere else now: what would be written here would be lost
if h[5] then
  if not h[6] then return {'M', h[5]} end
  if struct.unpack('>I8', h[6], 9) > now then return {'H', h[5]} end
  -- whoever moved it is gone
  redis.call('HDEL', KEYS[1], 'moved', 'hold')
end
if h[2] ~= ARGV[1] then
  -- not just one more: two processes that don't know each other must not choose the same
  g = math.max(g + 1, now)
  redis.call('HSET', KEYS[1], 'g', g, 'run', ARGV[1])
end
return {'E', g, tonumber(h[4] or 0)}
