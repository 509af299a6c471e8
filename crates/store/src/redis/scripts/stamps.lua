-- What changes with any change of some conversations of a lane, without their content. Writes nothing.
-- KEYS: lane, then records and hash of each conversation
-- Returns the generation, as it was before the lane was held, and for each what `whole.lua` says of it, with the time of the last record.
local lane, stamps = redis.call('HMGET', KEYS[1], 'g', 'hold'), {}
for i = 2, #KEYS, 2 do
  local c = redis.call('HMGET', KEYS[i + 1], 'v', 'b', 'm0', 'm1')
  local last = redis.call('LINDEX', KEYS[i], -1)
  stamps[i / 2] = {c[1], c[2], c[3], c[4], redis.call('LLEN', KEYS[i]), last and string.sub(last, 1, 8)}
end
return {lane[1] and lane[1] - (lane[2] and 1 or 0), stamps}
