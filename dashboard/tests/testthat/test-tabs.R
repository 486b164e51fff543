options(shiny.testmode = TRUE)

shown <- function(server, context, panels, ...) {
  bodies <- list()
  testServer(server, args = list(context = context, ...), {
    session$flushReact()
    for (panel in panels) bodies[[panel]] <<- html_of(output[[paste0(panel, "-body")]])
  })
  bodies
}

test_that("each tab draws every panel on real rows, in both languages", in_time({
  warehouse <- real_warehouse()
  tabs <- list(
    list(overview_server, c("totals", "over_time", "event_mix", "login_states")), list(
      products_server, c("top", "categories", "brands")
    ),
    list(funnel_server, c("steps", "split")), list(activity_server, "week"), list(
      quality_server, c("freshness", "rejects", "warnings", "runs")
    )
  )
  for (lang in languages) {
    context <- test_context(warehouse, lang)
    for (tab in tabs) {
      bodies <- shown(tab[[1]], context, tab[[2]])
      for (panel in tab[[2]]) {
        expect_false(grepl("class=\"notice( bad)?\"", bodies[[panel]]), info = paste(lang, panel))
        expect_gt(nchar(bodies[[panel]]), 100)
      }
    }
    raw <- shown(raw_server, context, "events", page = reactiveVal(1L))
    expect_match(raw$events, "<table>")
  }
}, 60))

test_that("a filter that matches nothing says so in words", in_time({
  context <- test_context(real_warehouse(), login = "no such state", q = "no such product")
  t <- context$t
  expect_match(shown(overview_server, context, "event_mix")$event_mix, t("state.nothing"), fixed = TRUE)
  expect_match(shown(products_server, context, "top")$top, t("state.nothing"), fixed = TRUE)
  expect_match(shown(funnel_server, context, "steps")$steps, t("state.nothing"), fixed = TRUE)
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

test_that("paging moves between the first and the last page only", in_time({
  context <- test_context(real_warehouse())
  page <- reactiveVal(1L)
  testServer(raw_server, args = list(context = context, page = page), {
    session$setInputs(newer = 1)
    expect_equal(page(), 1)
    session$setInputs(older = 1)
    expect_equal(page(), min(2, pages()))
    page(100000000L)
    session$flushReact()
    expect_equal(shown(), pages())
  })
}))
