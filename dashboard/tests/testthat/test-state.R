test_that("a view survives its address", {
  state <- with_range(clean_state(list(
    lang = "vi", tab = "raw", from = "2025-12-01", to = "2025-12-07", tz = "UTC",
    login = "a b&c=d", event = "x+y%", page = "3", loads = ""
  ), zones = c("Asia/Ho_Chi_Minh", "UTC")), NA)
  again <- with_range(
    clean_state(shiny::parseQueryString(state_query(state)), zones = c("Asia/Ho_Chi_Minh", "UTC")), NA
  )
  expect_identical(again[sort(names(again))], state[sort(names(state))])
})

test_that("whatever is not valid falls back to the default", {
  state <- clean_state(list(
    lang = "xx", tab = "<b>", from = "2025-13-01", to = "2025-12-07", tz = "Mars/Base", page = "-4",
    sort = "'; DROP TABLE x", login = c("a", "b")
  ), zones = "Asia/Ho_Chi_Minh")
  expect_identical(state[c("lang", "tab", "tz", "page", "sort", "login")], list(
    lang = "en", tab = "overview", tz = "Asia/Ho_Chi_Minh", page = 1L, sort = "views", login = ""
  ))
  expect_null(state$from)
  expect_null(clean_state(list(from = "1999-01-01", to = "2025-12-07"))$from)
})

test_that("days are put in order and default to the seven that end on the newest event's", {
  expect_identical(
    clean_range("2025-12-07", "2025-12-01"), list(from = as.Date("2025-12-01"), to = as.Date("2025-12-07"))
  )
  expect_identical(with_range(list(), "2025-12-07"), list(from = as.Date("2025-12-01"), to = as.Date("2025-12-07")))
  expect_identical(with_range(list(), NA)$to, Sys.Date())
})

test_that("the bucket follows the length of the range", {
  bucket <- function(days, grain = "auto") {
    bucket_of(list(from = as.Date("2025-01-01"), to = as.Date("2025-01-01") + days - 1, grain = grain))
  }
  expect_identical(
    vapply(c(1, 2, 3, 92, 93, 731, 732), bucket, ""), c("hour", "hour", "day", "day", "week", "week", "month")
  )
  expect_identical(bucket(7, "month"), "month")
  expect_identical(bucket(31, "hour"), "hour")
  expect_identical(bucket(32, "hour"), "day", info = "more columns than can be told apart")
  expect_identical(bucket(900, "hour"), "week")
})

test_that("a ready-made period is known again by its days", {
  newest <- "2025-12-07"
  for (period in setdiff(periods, "since")) {
    state <- range_of(period, newest)
    expect_true(period_of(state, newest) == period || identical(range_of(period_of(state, newest), newest), state), info = period)
  }
  expect_identical(range_of("last_month", newest), list(from = as.Date("2025-11-01"), to = as.Date("2025-11-30")))
  expect_identical(range_of("since", newest, as.Date("2025-01-15")), list(from = as.Date("2025-01-15"), to = as.Date(newest)))
  expect_identical(period_of(list(from = as.Date("2025-11-03"), to = as.Date("2025-11-05")), newest), "")
})
