package restcrud
