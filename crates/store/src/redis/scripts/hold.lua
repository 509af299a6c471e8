-- A company is being moved: nothing is written to a lane until that is done, or the one who moves it does not say for a while that
-- it still does. Whoever has entered the lane must enter again, and is refused (`enter.lua`).
-- KEYS: lane
-- ARGV: 'H' hold, 'K' keep holding, 'L' leave for good, 'R' release; who moves it (8 bytes); where to; how long it is held, ms
-- Returns 1 if it was done: a hold that another one has, or that ended because a server came back, is not.
local h = redis.call('HMGET', KEYS[1], 'moved', 'hold')
local mine = h[2] and string.sub(h[2], 1, 8) == ARGV[2]
if ARGV[1] == 'R' then
  if mine then redis.call('HDEL', KEYS[1], 'moved', 'hold') end
  return 1
end
if ARGV[1] == 'L' then
  if not mine then return 0 end
  redis.call('HDEL', KEYS[1], 'hold')
  return 1
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not mine then
  if ARGV[1] == 'K' then return 0 end
  if h[1] and not (h[2] and struct.unpack('>I8', h[2], 9) <= now) then return 0 end
  redis.call('HINCRBY', KEYS[1], 'g', 1)
end
redis.call('HSET', KEYS[1], 'moved', ARGV[3], 'hold', ARGV[2] .. struct.pack('>I8', now + ARGV[4]))
return 1
