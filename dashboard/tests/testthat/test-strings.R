test_that("every key has a text in each language, with the same places to fill", {
  places <- function(texts) lapply(regmatches(texts, gregexpr("\\{[a-z]+\\}", texts)), sort)
  for (lang in languages) expect_true(all(nzchar(trimws(strings[[lang]]))), info = lang)
  expect_identical(places(strings$vi), places(strings$en))
})

test_that("an unknown key is an error and an unknown name of the data stays as it is", {
  t <- translator(strings, "vi")
  expect_error(t("no.such.key"), "no string for key")
  expect_identical(
    data_labels(t, "event", c("page_view", "brand_new_event", NA)), c("Xem trang", "brand_new_event", "(không có)")
  )
})

test_that("text is filled in literally", {
  expect_identical(translator(strings, "en")("quality.ago", span = "\\1 {span}"), "\\1 {span} ago")
})

app_calls <- function() {
  files <- list.files(file.path(app_folder, c("core", "ui", "tabs")), "[.]R$", full.names = TRUE)
  calls <- list()
  walk <- function(node, file) {
    if (is.call(node)) calls[[length(calls) + 1]] <<- list(file = basename(file), call = node)
    if (is.recursive(node)) for (part in as.list(node)) if (!missing(part) && !is.null(part)) walk(part, file)
  }
  for (file in files) for (expression in as.list(parse(file, encoding = "UTF-8"))) walk(expression, file)
  calls
}

test_that("no words stand in the code of the page", {
  spoken <- c("title", "aria-label", "placeholder", "alt", "label", "")
  for (found in app_calls()) {
    name <- deparse(found$call[[1]])[1]
    if (!grepl("^tags[$]|^(notice|hint|tagList|htmlOutput)$", name)) next
    arguments <- as.list(found$call)[-1]
    if (name == "notice") arguments <- arguments[1] # the second is a class
    named <- if (is.null(names(arguments))) rep("", length(arguments)) else names(arguments)
    for (text in Filter(is.character, arguments[named %in% spoken])) {
      is_id <- name == "htmlOutput"
      expect_true(is_id || !grepl("[[:alpha:]]", text), info = paste(found$file, name, text))
    }
  }
})

test_that("every key that the code names exists", {
  keys <- unlist(lapply(app_calls(), function(found) {
    if (identical(found$call[[1]], quote(t)) && is.character(found$call[[2]])) found$call[[2]]
  }))
  headings <- unlist(lapply(app_calls(), function(found) {
    if (identical(found$call[[1]], quote(column)) && length(found$call) > 2 && is.character(found$call[[3]])) found$call[[3]]
  }))
  panels <- unlist(lapply(app_calls(), function(found) {
    if (identical(found$call[[1]], quote(panel_ui)) && length(found$call) > 3) found$call[[4]]
  }))
  expect_gt(length(keys), 50)
  expect_length(setdiff(c(keys, headings, Filter(is.character, panels)), strings$key), 0)
})
