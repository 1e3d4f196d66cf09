-- The names of all devices that were announced.
return {NONCE, 'names', redis.call('SMEMBERS', ALL)}
