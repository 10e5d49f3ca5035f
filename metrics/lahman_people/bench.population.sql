-- Where and when they were born, and died.

-- name: countries of birth
-- kind: topk
-- keys: birth_country
-- values: n=count, first=mean(birth_year)
-- order: n desc   k: 10
SELECT birth_country, count(*) AS n, avg(birth_year) AS first
FROM core
WHERE birth_country IS NOT NULL
GROUP BY birth_country;

-- name: born abroad over the decades
-- kind: groups            hardly any before the war, every fourth today
-- keys: decade
-- values: abroad=ratio
-- support: n   min_support: 20
SELECT debut_year // 10 * 10 AS decade, count(*) AS n, avg((birth_country <> 'USA')::INT) AS abroad
FROM core
WHERE debut_year IS NOT NULL
GROUP BY decade;

-- name: states of the born in the United States
-- kind: share
-- keys: birth_state
-- values: n=count
SELECT birth_state, count(*) AS n
FROM core
WHERE birth_country = 'USA'
GROUP BY birth_state;

-- name: the living
-- kind: groups            and the age of those who died
-- keys: generation
-- values: living=ratio, age=mean(death_year)
-- support: n   min_support: 20
SELECT birth_year // 20 * 20 AS generation, count(*) AS n, avg((death_year IS NULL)::INT) AS living,
  avg(death_year - birth_year) AS age
FROM core
WHERE birth_year IS NOT NULL
GROUP BY generation;
