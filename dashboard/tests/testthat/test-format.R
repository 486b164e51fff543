test_that("numbers, money and shares are written as each language does", {
  expect_identical(format_number(1234567.8, "en", 1), "1,234,567.8")
  expect_identical(format_number(1234567.8, "vi", 1), "1.234.567,8")
  expect_identical(format_vnd(c(18990000, 12.5, NA), "en"), c("\u20ab18,990,000", "\u20ab12.50", "\u2013"))
  expect_identical(format_vnd(18990000, "vi"), "18.990.000\u00a0\u20ab")
  expect_identical(format_share(c(0.0498, NA), "vi"), c("5,0\u00a0%", "\u2013"))
  expect_identical(format_short(c(0, 950, 1234, 25000, 3.4e6), "en"), c("0", "950", "1.2K", "25K", "3.4M"))
})

test_that("days and times are written as each language does", {
  expect_identical(format_day("2025-12-06", "en"), "6 Dec 2025")
  expect_identical(format_day("2025-12-06", "vi"), "06/12/2025")
  expect_identical(format_local_time(c("2025-12-06 13:05:09", NA), "en"), c("6 Dec 2025 13:05", "\u2013"))
})

test_that("a span is given in the unit that fits", {
  t <- translator(strings, "en")
  expect_identical(
    vapply(c(1, 59, 3600, 7200, 86400 * 3), format_span, "", t = t),
    c("1 second", "59 seconds", "60 minutes", "2 hours", "3 days")
  )
})

test_that("hostile text is escaped on the page and harmless in a spreadsheet", {
  rows <- data.frame(name = c("<script>alert(1)</script>", "=HYPERLINK(\"x\")", "Thêm"), n = 1:3)
  columns <- list(column("name", "product"), column("n", "views", number = TRUE))
  html <- as.character(table_of(rows, columns, translator(strings, "en")))
  expect_false(grepl("<script>", html, fixed = TRUE))
  file <- tempfile()
  write_csv(rows, columns, file)
  bytes <- readBin(file, "raw", 1000)
  expect_identical(bytes[1:3], as.raw(c(0xef, 0xbb, 0xbf)))
  lines <- strsplit(rawToChar(bytes[-(1:3)]), "\r?\n")[[1]]
  Encoding(lines) <- "UTF-8"
  expect_identical(
    lines, c("\"name\",\"n\"", "\"<script>alert(1)</script>\",1", "\"'=HYPERLINK(\"\"x\"\")\",2", "\"Thêm\",3")
  )
})
