options(shiny.testmode = TRUE)

#' What the panels of a tab say, and the plots they draw.
shown <- function(server, context, panels, plots = character(0)) {
  found <- list()
  testServer(server, args = list(context = context), {
    session$flushReact()
    for (panel in panels) found[[panel]] <<- html_of(output[[paste0(panel, "-body")]])
    for (panel in plots) found[[paste0(panel, "-plot")]] <<- output[[paste0(panel, "-plot")]]
  })
  found
}

test_that("each tab draws every panel on real rows, in both languages", in_time({
  warehouse <- real_warehouse()
  tabs <- list(
    overview = list(c("totals", "over_time", "event_mix", "login_states", "categories"), plotted = -1),
    acquisition = list(c("days", entry_kinds), plotted = 1:6),
    visitors = list(c("new", "sessions"), plotted = 1:2), retention = list(c("cohorts", "curves"), plotted = 1:2),
    products = list(c("top", "categories", "brands", "product_days", "product_funnel", "product_prices"), plotted = 1:6),
    funnel = list(c("steps", "split"), plotted = 1:2), paths = list(c("after", "before", "own"), plotted = 1:3), activity = list("week", plotted = 1),
    alerts = list("rules", plotted = 0),
    quality = list(c("freshness", "state", "rejects", "warnings", "drift", "bots", "runs"), plotted = c(3:6)), raw = list("events", plotted = 0)
  )
  expect_identical(sort(names(tabs)), sort(tab_names))
  for (lang in languages) {
    context <- test_context(warehouse, lang, product = "sku-2")
    for (name in names(tabs)) {
      tab <- tabs[[name]]
      found <- shown(get(paste0(name, "_server")), context, tab[[1]], tab[[1]][tab$plotted])
      for (panel in tab[[1]]) expect_false(grepl("class=\"notice( bad)?\"", found[[panel]]), info = paste(lang, name, panel))
      for (panel in tab[[1]][tab$plotted]) {
        plot <- found[[paste0(panel, "-plot")]]
        expect_gt(length(plot$option$series), 0)
        expect_gt(nchar(plot$alt), 10)
      }
    }
    expect_match(shown(raw_server, context, "events")$events, "<table")
  }
}, 300))

test_that("a filter that matches nothing says so in words", in_time({
  context <- test_context(real_warehouse(), login = "no such state", q = "no such product")
  t <- context$t
  expect_match(shown(overview_server, context, "event_mix")$event_mix, t("state.nothing"), fixed = TRUE)
  expect_match(shown(products_server, context, "top")$top, t("state.nothing"), fixed = TRUE)
  expect_match(shown(funnel_server, context, "steps")$steps, t("state.nothing"), fixed = TRUE)
}))

test_that("an error in one panel is said there and leaves the others", in_time({
  context <- test_context(real_warehouse())
  good <- reactive(data.frame(a = 1))
  columns <- list(column("a", "views"))
  server <- function(id, context) moduleServer(id, function(input, output, session) {
    panel_server("broken", context, good, columns, plot = function(rows) stop("no such thing"))
    panel_server("whole", context, good, columns, words = function(rows) hint(context$t("views")))
  })
  expect_message(found <- shown(server, context, c("broken", "whole")), "dashboard: broken: no such thing")
  expect_match(found$broken, context$t("state.error"), fixed = TRUE)
  expect_match(found$whole, context$t("views"), fixed = TRUE)
}))

test_that("a warehouse that goes down between two questions says so in words, and is asked again", in_time({
  real <- real_warehouse()
  broken <- FALSE
  flaky <- open_warehouse(list(), connect = stop)
  flaky$query <- function(name, values = list()) if (broken) stop(warehouse_down(simpleError("gone"))) else real$query(
    name, values
  )
  context <- test_context(flaky)
  broken <- TRUE
  expect_match(shown(overview_server, context, "event_mix")$event_mix, context$t("state.down"), fixed = TRUE)
}))

test_that("the CSV of a panel has the rows it shows", in_time({
  context <- test_context(real_warehouse())
  testServer(overview_server, args = list(context = context), {
    session$flushReact()
    rows <- utils::read.csv(output[["event_mix-csv"]], fileEncoding = "UTF-8-BOM")
    expect_identical(names(rows), c("event_name", "events"))
    expect_gt(sum(rows$events), 0)
  })
}))

test_that("a page beyond the last shows the last", in_time({
  context <- test_context(real_warehouse(), page = "100000000")
  testServer(raw_server, args = list(context = context), {
    session$flushReact()
    expect_equal(shown(), pages())
    expect_gt(nrow(events()), 0)
  })
}))

test_that("cohorts have a share of each period that the data covers", {
  rows <- data.frame(cohort = "2025-12-01", after = c(0L, 2L), period_end = c("2025-12-08 00:00:00", "2025-12-22 00:00:00"), visitors = c(10, 4))
  found <- with_shares(rows, "2025-12-24 12:00:00")
  expect_equal(found$after, 0:3)
  expect_equal(found$share, c(1, 0, 0.4, 0))
  expect_equal(found$unfinished, c(FALSE, FALSE, FALSE, TRUE))
})
