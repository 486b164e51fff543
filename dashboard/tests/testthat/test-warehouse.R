test_that("values are bound, never written into the statement", in_time({
  warehouse <- real_warehouse()
  hostile <- "' OR 1=1; DROP TABLE public.clickstream_events; --"
  rows <- warehouse$query("raw_count", list("2000-01-01", "2100-01-01", "UTC", hostile, ""))
  expect_identical(rows$events, 0)
  expect_gt(warehouse$query("raw_count", list("2000-01-01", "2100-01-01", "UTC", "", ""))$events, 0)
  # the server itself saw parameters: it keeps the text of the statement with $1, not with the value
  con <- connect_warehouse()
  on.exit(DBI::dbDisconnect(con), add = TRUE)
  result <- DBI::dbSendQuery(
    con, "SELECT query, $1 AS value FROM pg_stat_activity WHERE pid = pg_backend_pid()", hostile
  )
  seen <- DBI::fetch(result, -1)
  DBI::dbClearResult(result)
  expect_identical(seen$value, hostile)
  expect_false(grepl("DROP", seen$query))
  expect_match(seen$query, "$1", fixed = TRUE)
}))

test_that("the connection can only read, and not what visitors typed into rejected records", in_time({
  real_warehouse()
  con <- connect_warehouse()
  on.exit(DBI::dbDisconnect(con), add = TRUE)
  expect_error(DBI::dbSendQuery(con, "CREATE TABLE public.x (a int)", character(0)), "permission denied|read-only")
  expect_error(DBI::dbSendQuery(con, "SELECT raw FROM etl.rejects", character(0)), "permission denied")
}))

test_that("a connection that broke is opened again, and one that cannot be is said to be down", in_time({
  real_warehouse()
  warehouse <- open_warehouse(
    list(one = "SELECT 1 AS one", pid = "SELECT pg_backend_pid() AS pid", kill = "SELECT pg_terminate_backend($1::int)")
  )
  pid <- warehouse$query("pid")$pid
  other <- open_warehouse(list(kill = "SELECT pg_terminate_backend($1::int)"))
  other$query("kill", list(pid))
  expect_identical(warehouse$query("one")$one, 1L)
  expect_identical(warehouse$failures(), 0)
  nowhere <- open_warehouse(
    list(one = "SELECT 1", freshness = "SELECT 1"), connect = function() stop("connection refused")
  )
  expect_error(nowhere$query("one"), class = "warehouse_down")
  expect_identical(nowhere$failures(), 1)
  expect_identical(read_status(nowhere, "UTC")$kind, "down")
  warehouse$close()
  other$close()
}))
