-- Careers and builds.

-- name: build over the generations
-- kind: groups            players grew taller and heavier
-- keys: decade
-- values: n=count, height=mean, weight=mean
-- support: n   min_support: 20
SELECT birth_year // 10 * 10 AS decade, count(*) AS n, avg(height) AS height, avg(weight) AS weight
FROM core
WHERE birth_year IS NOT NULL
GROUP BY decade;

-- name: hands
-- kind: share            who bats with both throws with the right, most often
-- keys: bats, throws
-- values: n=count
SELECT bats, throws, count(*) AS n
FROM core
GROUP BY bats, throws;

-- name: age at the first game
-- kind: dist
-- values: age=number
SELECT debut_year - birth_year AS age
FROM core
WHERE debut_year IS NOT NULL AND birth_year IS NOT NULL;

-- name: length of a career
-- kind: groups            in seasons, by the month of the first game: who is called up in September often stays a week
-- keys: debut_month
-- values: n=count, seasons=mean(final_year), single=ratio
-- support: n   min_support: 20
SELECT debut_month, count(*) AS n, avg(final_year - debut_year + 1) AS seasons,
  avg((final_year = debut_year)::INT) AS single
FROM core
WHERE debut_month IS NOT NULL
GROUP BY debut_month;

-- name: impossible careers
-- kind: scalar            ended before they began, or began before the age of fifteen
-- values: backwards=ratio, children=ratio
SELECT avg((final_year < debut_year)::INT) AS backwards, avg((debut_year - birth_year < 15)::INT) AS children
FROM core;
