-- Who the people are: composition, households and origin.

-- name: population pyramid
-- kind: share
-- keys: band, sex
-- values: n=count
SELECT age // 5 * 5 AS band, sex, count(*) AS n
FROM core
GROUP BY band, sex;

-- name: households
-- kind: share            relationship must agree with marital status and sex: a husband is a married man
-- keys: relationship, marital_status, sex
-- values: n=count
SELECT relationship, marital_status, sex, count(*) AS n
FROM core
GROUP BY relationship, marital_status, sex;

-- name: impossible households
-- kind: scalar            wives who are men, husbands who are women, spouses who never married
-- values: sexes=ratio, spouses=ratio
SELECT
  avg(((relationship = 'Husband' AND sex = 'Female') OR (relationship = 'Wife' AND sex = 'Male'))::INT) AS sexes,
  avg((relationship IN ('Husband', 'Wife') AND marital_status = 'Never-married')::INT) AS spouses
FROM core;

-- name: people the survey stands for
-- kind: share            fnlwgt is how many people a row represents
-- keys: race, sex
-- values: people=count
SELECT race, sex, sum(fnlwgt) AS people
FROM core
GROUP BY race, sex;

-- name: origin and schooling
-- kind: topk
-- keys: native_country
-- values: n=count, years=mean(education_num)
-- order: n desc   k: 10
SELECT native_country, count(*) AS n, avg(education_num) AS years
FROM core
WHERE native_country <> 'United-States'
GROUP BY native_country;

-- name: occupations of men and women
-- kind: share
-- keys: occupation, sex
-- values: n=count
SELECT occupation, sex, count(*) AS n
FROM core
GROUP BY occupation, sex;

-- name: ages of the never married
-- kind: dist
-- values: age=number
SELECT age
FROM core
WHERE marital_status = 'Never-married';

-- name: what is not known
-- kind: scalar            workclass and occupation are missing together
-- values: workclass=ratio, occupation=ratio, together=ratio, country=ratio
SELECT avg((workclass IS NULL)::INT) AS workclass, avg((occupation IS NULL)::INT) AS occupation,
  avg((workclass IS NULL AND occupation IS NULL)::INT) AS together, avg((native_country IS NULL)::INT) AS country
FROM core;
