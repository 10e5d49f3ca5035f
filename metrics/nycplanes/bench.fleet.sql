-- The fleet. Who flies what.

-- name: makers of the airlines
-- kind: share            each has its own
-- keys: carrier, manufacturer
-- values: n=count
SELECT carrier, manufacturer, count(*) AS n
FROM core
GROUP BY carrier, manufacturer;

-- name: age and size of fleets
-- kind: groups
-- keys: carrier
-- values: n=count, built=mean, seats=mean, big=ratio
-- support: n   min_support: 20
SELECT carrier, count(*) AS n, avg(built) AS built, avg(seats) AS seats, avg((seats >= 200)::INT) AS big
FROM core
GROUP BY carrier;

-- name: seats over the years of manufacture
-- kind: groups            small jets came about the year 2000
-- keys: built
-- values: n=count, seats=mean, small=ratio
-- support: n   min_support: 20
SELECT built // 5 * 5 AS built, count(*) AS n, avg(seats) AS seats, avg((seats < 100)::INT) AS small
FROM core
WHERE built IS NOT NULL
GROUP BY ALL;

-- name: machines that cannot be
-- kind: scalar            one engine and many seats, or a helicopter with wings' engines
-- values: single=ratio, rotor=ratio
SELECT avg((engines = 1 AND seats > 20)::INT) AS single,
  avg((type = 'Rotorcraft' AND engine IN ('Turbo-fan', 'Turbo-jet'))::INT) AS rotor
FROM core;

-- name: flights of an aircraft
-- kind: dist            the first thirty of the year count
-- values: flights=number
SELECT count(f.day) AS flights
FROM core AS c
LEFT JOIN flights AS f USING (tailnum)
GROUP BY c.tailnum;
