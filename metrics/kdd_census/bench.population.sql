-- Who the people are.

-- name: population pyramid
-- kind: share
-- keys: band, sex
-- values: n=count
SELECT age // 5 * 5 AS band, sex, count(*) AS n
FROM core
GROUP BY band, sex;

-- name: children
-- kind: scalar            no child is married, works or earns
-- values: married=ratio, working=ratio, earning=ratio
SELECT avg((marital_stat <> 'Never married')::INT) AS married, avg((weeks_worked_in_year > 0)::INT) AS working,
  avg((income_gt_50k = '50000+.')::INT) AS earning
FROM core
WHERE age < 15;

-- name: citizenship and birth
-- kind: share            the native born are citizens
-- keys: citizenship, native
-- values: n=count
SELECT citizenship, country_of_birth_self = 'United-States' AS native, count(*) AS n
FROM core
GROUP BY citizenship, native;

-- name: households
-- kind: share
-- keys: role, marital_stat
-- values: n=count
SELECT detailed_household_summary_in_household AS role, marital_stat, count(*) AS n
FROM core
GROUP BY role, marital_stat;
